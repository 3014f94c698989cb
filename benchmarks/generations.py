"""Host calls and their time per work package, on two generations of hosts, started cold and warm.

Run from the checkout: `python -m benchmarks.generations [--rounds N]`. A round takes about eight minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.results import spread, write_section
from benchmarks.runs import Cost, Start, adopt_orphans, run_ours, spec
from tests.hosts import MISSION_HOST, NEXT_HOST, RealHost, install

COUNT = 4
STARTS: tuple[Start, ...] = ("cold", "warm")
Costs = Mapping[tuple[str, Start], Sequence[Cost]]


def measure(host: RealHost, start: Start) -> Cost:
    """One run: work packages that don't depend on each other, from claim to done."""
    with tempfile.TemporaryDirectory() as folder:
        shape: dict[str, tuple[str, ...]] = {f"WP{number:02}": () for number in range(1, COUNT + 1)}
        project = host.project(spec(shape, "lanes"), Path(folder) / "project")
        room = Path(folder) / "room"
        room.mkdir()
        return run_ours(host, project, room, finish=False, start=start)


def table(costs: Costs) -> str:
    rounds = max(len(found) for found in costs.values())
    intro = (
        f"Missions of {COUNT} work packages (topology `lanes`), from claim to done, by agents that take no "
        "time. Per work package: all host calls of the run, and what they and the run took, divided by "
        f"{COUNT}; medians of {rounds} rounds, with the least and greatest. CPU time: of all processes."
    )
    lines = [intro, "", "| host | start | calls | wall s | CPU s |", "| --- | --- | --- | --- | --- |"]
    for (version, start), found in costs.items():
        calls = spread([cost.calls / COUNT for cost in found], 1)
        wall, cpu = (spread([getattr(cost, name) / COUNT for cost in found], 1) for name in ("wall", "cpu"))
        lines.append(f"| {version} | {start} | {calls} | {wall} | {cpu} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    adopt_orphans()
    ways = [(version, start) for version in (MISSION_HOST, NEXT_HOST) for start in STARTS]
    costs: dict[tuple[str, Start], list[Cost]] = {way: [] for way in ways}
    for _ in range(rounds):
        for version, start in ways:
            costs[version, start].append(measure(install(version), start))
    text = table(costs)
    print(text)
    write_section("Host calls per work package", text)


if __name__ == "__main__":
    main()
