"""How long missions take against the shortest that any schedule could: virtual time, random durations.

Run from the checkout: `python -m benchmarks.makespan [--missions N]`. The lower bound of a mission is the
longer of its longest chain of dependencies and its total work divided by its slots. The runner does not know
the durations before they have passed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
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


def ratio(mission: Drawn) -> float:
    """Makespan over lower bound."""
    with tempfile.TemporaryDirectory() as folder:
        return makespan(mission, Path(folder)) / mission.bound


def row(name: str, ratios: Sequence[float]) -> str:
    tenth = quantiles(ratios, n=10)[-1]
    return f"| {name} | {len(ratios)} | {spread(ratios)} | {tenth:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missions", type=int, default=200)
    count: int = parser.parse_args().missions
    missions = [draw(Random(seed)) for seed in range(count)]  # noqa: S311
    ratios = {seed: ratio(mission) for seed, mission in enumerate(missions)}
    by_slots = [ratios[seed] for seed, one in enumerate(missions) if one.work / one.slots > one.chain]
    by_chain = [ratios[seed] for seed, one in enumerate(missions) if one.work / one.slots <= one.chain]
    text = (
        "Random missions of 6 to 40 work packages on 2 to 6 slots, durations unknown to the runner. "
        f"Makespan / lower bound; wanted are a median of at most {MEDIAN} and a worst of at most {WORST}"
        ".\n\n| bound by | missions | median (least to greatest) | nine of ten below |\n"
        "| --- | --- | --- | --- |\n"
    ) + "\n".join([row("all", list(ratios.values())), row("slots", by_slots), row("longest chain", by_chain)])
    print(text)
    write_section("Makespan", text)


if __name__ == "__main__":
    main()
