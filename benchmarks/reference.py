"""kitty-run against `spec-kitty-orchestrator` from PyPI: the same missions, host and instant agents.

Run from the checkout: `python -m benchmarks.reference [--rounds N]`. A round takes about a quarter of an
hour, nearly all of it the reference's. Both take the work packages to `done`, which is where the reference
ends; kitty-run is measured with accepting and merging, too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from kitty_run.demo.spec import Project

from benchmarks.results import spread, write_section
from benchmarks.runs import AGENT, SLOTS, Cost, Shape, adopt_orphans, executable, run_ours, spec, timed
from tests.hosts import CHECKOUT, MISSION_HOST, RealHost, install

PACKAGE = "spec-kitty-orchestrator"
ROOM = CHECKOUT / ".hosts" / PACKAGE
TITLE = "Against the reference orchestrator"
WALL, CPU = 18.0, 15.0
"""How many times less than the reference on 4 work packages is wanted."""

SHAPES: Mapping[str, Shape] = {
    "4 work packages wide": {"WP01": (), "WP02": (), "WP03": (), "WP04": ()},
    "8 work packages in 3 layers": {
        "WP01": (),
        "WP02": (),
        "WP03": ("WP01",),
        "WP04": ("WP01", "WP02"),
        "WP05": ("WP02",),
        "WP06": ("WP03", "WP04"),
        "WP07": ("WP04",),
        "WP08": ("WP05",),
    },
}
REFERENCE, OURS, WHOLE = "reference", "kitty-run", "kitty-run, merged too"

COUNTER = """\
#!/bin/sh
echo "$*" >> "{log}"
exec "{script}" "$@"
"""


def reference() -> Path:
    """The reference's command, installed into a virtual environment of its own where it is missing."""
    script = ROOM / "bin" / PACKAGE
    if not script.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ROOM)], check=True)
        pip = [str(ROOM / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, PACKAGE], check=True)
    return script


def run_reference(host: RealHost, project: Project, room: Path) -> Cost:
    log = room / "calls"
    executable(room / "bin" / "claude", AGENT)
    executable(room / "bin" / "spec-kitty", COUNTER.format(log=log, script=host.script))
    env = {**host.env, "PATH": f"{room / 'bin'}{os.pathsep}{host.env['PATH']}"}
    agents = ["--impl-agent", "claude-code", "--review-agent", "claude-code"]
    argv = [
        str(reference()),
        "orchestrate",
        "--mission",
        project.mission,
        "--max-concurrent",
        str(SLOTS),
        *agents,
    ]
    wall, cpu, _ = timed(argv, project.root, env)
    return Cost(wall, cpu, len(log.read_text("utf-8").splitlines()))


def measure(host: RealHost, shape: Shape) -> dict[str, Cost]:
    """One round: each runner in turn on its own copy of the same mission."""
    costs = {}
    for name in (OURS, WHOLE, REFERENCE):
        with tempfile.TemporaryDirectory() as folder:
            project = host.project(spec(shape), Path(folder) / "project")
            room = Path(folder) / "room"
            room.mkdir()
            if name == REFERENCE:
                costs[name] = run_reference(host, project, room)
            else:
                costs[name] = run_ours(host, project, room, finish=name == WHOLE)
        print(name, costs[name], flush=True)
    return costs


def table(title: str, rounds: Sequence[Mapping[str, Cost]]) -> str:
    lines = [
        f"| {title}, rounds: {len(rounds)} | wall s | times less | CPU s | times less | host calls |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in (REFERENCE, OURS, WHOLE):
        costs = [one[name] for one in rounds]
        less = [
            spread([getattr(one[REFERENCE], what) / getattr(one[name], what) for one in rounds], 1)
            for what in ("wall", "cpu")
        ]
        walls, cpus = spread([cost.wall for cost in costs], 1), spread([cost.cpu for cost in costs], 1)
        calls = median(cost.calls for cost in costs)
        lines.append(f"| {name} | {walls} | {less[0]} | {cpus} | {less[1]} | {calls:.0f} |")
    return "\n".join(lines)


def write(measured: Mapping[str, Sequence[Mapping[str, Cost]]]) -> None:
    """The rounds of each shape, as a section of RESULTS.md."""
    tables = [table(title, rounds) for title, rounds in measured.items()]
    intro = (
        f"In turn, on copies of the same repositories (topology `lanes`), on host {MISSION_HOST}, with "
        f"agents that take no time and {SLOTS} slots. Ratios are of the same round; wanted on 4 work "
        f"packages are {WALL:.0f} times less wall time and {CPU:.0f} times less CPU time. CPU time is that "
        "of all processes."
    )
    write_section(TITLE, "\n\n".join([intro, *tables]))
    print("\n\n".join(tables))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    rounds: int = parser.parse_args().rounds
    adopt_orphans()
    reference()
    host = install(MISSION_HOST)
    write({title: [measure(host, shape) for _ in range(rounds)] for title, shape in SHAPES.items()})


if __name__ == "__main__":
    main()
