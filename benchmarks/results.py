"""Where measurements are written: one section each of RESULTS.md, replaced at every run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).with_name("RESULTS.md")


def write_section(title: str, text: str) -> None:
    """Put `text` below the heading `title`, in place of what was there, or at the end."""
    old = RESULTS.read_text("utf-8") if RESULTS.exists() else "# Results\n"
    section = f"## {title}\n\n{text.strip()}\n"
    found = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", old, re.DOTALL | re.MULTILINE)
    if found is None:
        new = f"{old.rstrip()}\n\n{section}"
    else:
        rest = old[found.end() :]
        new = old[: found.start()] + section + (f"\n{rest}" if rest else "")
    RESULTS.write_text(new, "utf-8")


def spread(values: Sequence[float], digits: int = 3) -> str:
    """The median, and the least and the greatest."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
