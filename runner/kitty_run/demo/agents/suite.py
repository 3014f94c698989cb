"""Running the unit tests of the project in the working directory, as both agents do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass

TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class TestRun:
    """A run of the project's own tests: whether all passed, how many there were, and what was printed."""

    passed: bool
    count: int
    output: str


def run_tests() -> TestRun:
    """Run every test below `tests/` with `unittest`; it writes no byte code into the workspace."""
    argv = [sys.executable, "-B", "-m", "unittest", "discover", "-s", "tests", "-t", "."]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, env=env, timeout=TIMEOUT, check=False)
    count = re.search(r"^Ran (\d+) test", done.stderr, re.MULTILINE)
    return TestRun(done.returncode == 0, int(count[1]) if count else 0, done.stderr.strip())


def finish(message: str) -> None:
    """Print the result as these agents' profile expects it; a scripted agent costs nothing."""
    sys.stdout.write(json.dumps({"result": message, "cost_usd": 0.0}) + "\n")
