"""How long missions take against the shortest that any schedule could: virtual time, random durations.

Run from the checkout: `python -m benchmarks.makespan [--missions N]`. The lower bound of a mission is the
longer of its longest chain of dependencies and its total work divided by its slots. The runner does not know
the durations before they have passed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import quantiles

from kitty_run.errors import ExitStatus

from benchmarks.missions import Drawn, draw
from benchmarks.results import spread, write_section
from tests.engine import profiles
from tests.engine.world import World

MEDIAN, WORST = 1.10, 1.25
"""The greatest ratios that are wanted."""


HEAD = f"""\
Random missions of 6 to 40 work packages on 2 to 6 slots. No duration is known before it has passed. The same
missions are run with work packages that list their subtasks (2 to 8, of 3 minutes in the median, with a long
tail), and without.

Makespan / lower bound; wanted are a median of at most {MEDIAN:g} and a worst of at most {WORST:g}.

| missions | number | median (least to greatest) | nine of ten below |
| --- | --- | --- | --- |"""


def makespan(mission: Drawn, folder: Path, *, sized: bool) -> float:
    """Seconds from the first claim to the last approval; `sized`: the work packages list their subtasks."""
    world = World(
        folder,
        mission.dependencies,
        profile=profiles.profile(work_packages=mission.slots),
        script=mission.script,
        subtasks=mission.subtasks if sized else {},
    )
    report = world.run()
    assert report.exit_status is ExitStatus.OK, report.reason
    return report.seconds


def ratio(mission: Drawn, *, sized: bool) -> float:
    """Makespan over lower bound."""
    with tempfile.TemporaryDirectory() as folder:
        return makespan(mission, Path(folder), sized=sized) / mission.bound


def row(name: str, ratios: Sequence[float]) -> str:
    tenth = quantiles(ratios, n=10)[-1]
    return f"| {name} | {len(ratios)} | {spread(ratios)} | {tenth:.3f} |"


def rows(missions: Sequence[Drawn], *, sized: bool) -> Iterator[str]:
    """All missions, those that slots bind, and those that their longest chain binds."""
    ratios = [(ratio(one, sized=sized), one.work / one.slots > one.chain) for one in missions]
    known = "subtasks listed" if sized else "nothing known"
    yield row(f"{known}: all", [found for found, _ in ratios])
    yield row("bound by slots", [found for found, by_slots in ratios if by_slots])
    yield row("bound by the longest chain", [found for found, by_slots in ratios if not by_slots])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missions", type=int, default=200)
    count: int = parser.parse_args().missions
    missions = [draw(Random(seed)) for seed in range(count)]  # noqa: S311
    table = [*rows(missions, sized=True), *rows(missions, sized=False)]
    text = "\n".join([HEAD, *table])
    print(text)
    write_section("Makespan", text)


if __name__ == "__main__":
    main()
