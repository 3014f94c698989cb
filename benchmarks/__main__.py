"""All measurements, one after the other; each can be run alone, with fewer or more rounds."""

from __future__ import annotations

import subprocess
import sys

MODULES = ("command_line", "makespan", "flat_cost", "warm_host", "generations", "coordination", "reference")

for module in MODULES:
    print(f"== {module}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{module}"], check=True)
