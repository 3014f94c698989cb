"""Cold host calls against warm ones: per command and host, in turn, on identical repositories.

Run from the checkout: `python -m benchmarks.warm_host [--rounds N]`. A round takes about two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from kitty_run.demo.spec import Project
from kitty_run.host.transport.cold import ColdStarter
from kitty_run.host.transport.start import Starter
from kitty_run.host.transport.warm.starter import WarmStarter

from benchmarks.results import spread, write_section
from tests.host.warm.calls import MISSION, SPECS, STEPS
from tests.hosts import RealHost, install

Pairs = dict[str, list[tuple[float, float]]]
"""Seconds (cold, warm) by operation."""

START = "(start of the server)"
LIMIT = 300.0


async def timed(starter: Starter, project: Project, step: tuple[str, ...]) -> tuple[float, int | None]:
    arguments = tuple(project.mission if word == MISSION else word for word in step)
    started = time.monotonic()
    reply = await starter.call(arguments, project.root, LIMIT)
    return time.monotonic() - started, reply.status


def operation(step: tuple[str, ...]) -> str:
    return step[1] if step[0] == "orchestrator-api" else " ".join(step[:3])


async def measure(host: RealHost, folder: Path) -> Pairs:
    """One round: every step of the mission once cold and once warm; both must end alike."""
    command = (str(host.script),)
    cold = ColdStarter(command, host.env)
    warm = WarmStarter(command, host.env, cold, notice=refuse)
    projects = [host.project(SPECS[host.version], folder / way) for way in ("cold", "warm")]
    ways: list[tuple[Starter, Project]] = list(zip((cold, warm), projects, strict=True))
    pairs: Pairs = defaultdict(list)
    for number, step in enumerate(STEPS[host.version]()):
        if callable(step):
            for project in projects:
                step(project)
            continue
        (cold_seconds, status), (warm_seconds, warm_status) = [
            await timed(starter, project, step) for starter, project in ways
        ]
        assert status == warm_status, step
        name = START if number == 0 else operation(step) + ("" if status == 0 else ", refused")
        pairs[name].append((cold_seconds, warm_seconds))
    await warm.close()
    return pairs


def refuse(reason: str) -> None:
    raise SystemExit(reason)


def table(version: str, pairs: Pairs) -> str:
    lines = [f"| {version}, call | n | cold s | warm s | warm / cold |", "| --- | --- | --- | --- | --- |"]
    for name, times in sorted(pairs.items()):
        colds, warms = zip(*times, strict=True)
        ratios = [warm / cold for cold, warm in times]
        lines.append(
            f"| {name} | {len(times)} | {median(colds):.2f} | {median(warms):.2f} | {spread(ratios)} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    tables = []
    for version in STEPS:
        host, pairs = install(version), Pairs(defaultdict(list))
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                for name, times in asyncio.run(measure(host, Path(folder))).items():
                    pairs[name] = [*pairs.get(name, []), *times]
        tables.append(table(version, pairs))
    intro = (
        f"Medians of {rounds} rounds; ratios with their least and greatest. Identical repositories, in turn."
    )
    write_section("Cold against warm host calls", "\n\n".join([intro, *tables]))
    print("\n\n".join(tables))


if __name__ == "__main__":
    main()
