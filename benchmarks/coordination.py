"""A coordination mission on a real host: 16 work packages in 4 layers, merged by git's merge drivers.

Run from the checkout: `python -m benchmarks.coordination [--rounds N]`. Each work package depends on all
of the layer before. A round takes about a minute.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import spread, write_section
from benchmarks.runs import SLOTS, Cost, Shape, adopt_orphans, run_ours, spec
from tests.hosts import MISSION_HOST, RealHost, install

COUNT, WIDTH = 16, 4
WALL = 80.0
"""Seconds that are wanted, on two cores with nothing else to do."""


def layered() -> Shape:
    """`COUNT` work packages, `WIDTH` in each layer."""
    ids = [f"WP{number:02}" for number in range(1, COUNT + 1)]
    return {
        wp: tuple(ids[at - at % WIDTH - WIDTH : at - at % WIDTH]) if at >= WIDTH else ()
        for at, wp in enumerate(ids)
    }


def measure(host: RealHost) -> Cost:
    """One round: from claiming the first work package to merged."""
    with tempfile.TemporaryDirectory() as folder:
        project = host.project(spec(layered(), "coord"), Path(folder) / "project")
        room = Path(folder) / "room"
        room.mkdir()
        return run_ours(host, project, room, finish=True)


def table(costs: Sequence[Cost]) -> str:
    wall, cpu = spread([cost.wall for cost in costs], 1), spread([cost.cpu for cost in costs], 1)
    calls = " to ".join(str(count) for count in sorted({cost.calls for cost in costs}))
    return (
        f"Host {MISSION_HOST}, topology `coord`, {COUNT} work packages in {COUNT // WIDTH} layers, "
        f"{SLOTS} slots, agents that take no time; claimed, reviewed, accepted and merged. "
        f"Wanted: at most {WALL:g} s.\n\n"
        "| rounds | wall s | CPU s, all processes | host calls |\n| --- | --- | --- | --- |\n"
        f"| {len(costs)} | {wall} | {cpu} | {calls} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    adopt_orphans()
    host = install(MISSION_HOST)
    text = table([measure(host) for _ in range(rounds)])
    print(text)
    write_section("A coordination mission", text)


if __name__ == "__main__":
    main()
