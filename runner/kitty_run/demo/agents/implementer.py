"""The scripted implementer: writes the draft of its work package, runs the tests, and reports.

Its drafts are in `demo/drafts/WPnn/N/`; each round of rework takes the next one.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from kitty_run.demo.agents.suite import finish, run_tests

DRAFTS = Path(__file__).resolve().parents[1] / "drafts"


def main() -> int:
    """Play the implementer in the working directory; returns the exit status."""
    prompt = sys.stdin.read()
    wp, cycle = os.environ["KITTY_WP"], int(os.environ["KITTY_CYCLE"])
    draft = _draft(wp, cycle)
    if draft is None:
        sys.stderr.write(f"no draft for {wp}: this implementer only knows the demo's mission\n")
        return 1
    shutil.copytree(draft, Path.cwd(), dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    run = run_tests()
    if not run.passed:
        sys.stderr.write(f"{run.output}\n")
        return 1
    finish("\n".join([f"{wp} is written; {run.count} tests pass.", "", *_ticked(prompt)]))
    return 0


def _draft(wp: str, cycle: int) -> Path | None:
    drafts = sorted((DRAFTS / wp).glob("*/"))
    return drafts[min(cycle, len(drafts)) - 1] if drafts else None


def _ticked(prompt: str) -> list[str]:
    """A line for each subtask that the task lists."""
    return [f"{subtask}: done" for subtask in dict.fromkeys(re.findall(r"^- (T\d+):", prompt, re.MULTILINE))]
