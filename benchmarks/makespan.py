"""How long missions take against the shortest that any schedule could: virtual time, random durations.

Run from the checkout: `python -m benchmarks.makespan [--missions N]`. The lower bound of a mission is the
longer of its longest chain of dependencies and its total work divided by its slots. The runner does not know
the durations before they have passed.
"""

from __future__ import annotations

import argparse
import tempfile
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


def makespan(mission: Drawn, folder: Path) -> float:
    """Seconds from the first claim to the last approval."""
    world = World(
        folder,
        mission.dependencies,
        profile=profiles.profile(work_packages=mission.slots),
        script=mission.script,
    )
    report = world.run()
    assert report.exit_status is ExitStatus.OK, report.reason
    return report.seconds


def ratio(number: int) -> float:
    """Makespan over lower bound of the mission drawn from the seed `number`."""
    mission = draw(Random(number))  # noqa: S311
    with tempfile.TemporaryDirectory() as folder:
        return makespan(mission, Path(folder)) / mission.bound


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missions", type=int, default=200)
    count: int = parser.parse_args().missions
    ratios = [ratio(number) for number in range(count)]
    tenth = quantiles(ratios, n=10)[-1]
    text = (
        f"{count} missions of 6 to 40 work packages on 2 to 8 slots, durations unknown to the runner.\n\n"
        "| makespan / lower bound | measured | wanted |\n| --- | --- | --- |\n"
        f"| median (least to greatest) | {spread(ratios)} | median at most {MEDIAN} |\n"
        f"| nine of ten below | {tenth:.3f} | |\n"
        f"| worst | {max(ratios):.3f} | at most {WORST} |\n"
    )
    print(text)
    write_section("Makespan", text)


if __name__ == "__main__":
    main()
