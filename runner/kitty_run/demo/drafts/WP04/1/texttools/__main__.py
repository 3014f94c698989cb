"""`python3 -m texttools FILE...`: each file's summary."""

import sys
from pathlib import Path

from texttools.summary import summary

for name in sys.argv[1:]:
    sys.stdout.write(f"{name}: {summary(Path(name).read_text(encoding='utf-8'))}\n")
