"""How long the quick commands take, as ratios to a bare `python -c pass` of the same interpreter.

Run from the checkout: `python -m benchmarks.command_line [--rounds N]`. The modules are compiled first, as an
installed package's are.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.results import spread, write_section
from tests.cli import project as simulated

LIMITS = {"kitty-run --version": 4.0, "kitty-run validate (3 files)": 10.0}
"""The greatest ratio that is wanted."""

BASE = """version: 1
policy: {approval_mode: supervised, sandbox_mode: workspace_write, network_mode: none}
"""
TEAM = """extends: [base.yaml, preset:claude]
roles: {implement: {agents: [claude]}, review: {agents: [claude]}}
"""
MINE = """extends: [team.yaml]
commit: {message: "feat({{ wp.id }}): {{ wp.title }}"}
limits: {cost_usd: 20}
"""


def write_chain(directory: Path) -> Path:
    """A profile of three files and a preset; returns the top one."""
    for name, text in (("base.yaml", BASE), ("team.yaml", TEAM), ("mine.yaml", MINE)):
        (directory / name).write_text(text, "utf-8")
    return directory / "mine.yaml"


def seconds(argv: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(argv, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds by command, measured in turn."""
    with tempfile.TemporaryDirectory() as directory:
        profile = write_chain(Path(directory))
        environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = f"{directory}/compiled"
        run = [sys.executable, "-m", "kitty_run"]
        planned = simulated.make(Path(directory) / "project")
        planning = ["plan", str(planned.profile), "--mission", "demo", "--repo", str(planned.root)]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "kitty-run --version": [*run, "--version"],
            "kitty-run validate (3 files)": [*run, "validate", str(profile)],
            "kitty-run plan (simulated host, cold calls)": [*run, *planning],
        }
        for argv in commands.values():
            seconds(argv, environment)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, argv in commands.items():
                times[name].append(seconds(argv, environment))
    return times


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=31)
    times = measure(parser.parse_args().rounds)
    bare = median(times["python -c pass"])
    lines = [
        "| command | seconds: median (least to greatest) | ratio | wanted |",
        "| --- | --- | --- | --- |",
    ]
    for name, values in times.items():
        limit = f"at most {LIMITS[name]:g}" if name in LIMITS else ""
        lines.append(f"| `{name}` | {spread(values)} | {median(values) / bare:.1f} | {limit} |")
    text = "\n".join(lines)
    print(text)
    write_section("The command line", text)


if __name__ == "__main__":
    main()
