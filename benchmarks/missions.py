"""Random missions with random durations, for the benchmarks on the simulated host in virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from random import Random

from tests.engine.world import Did, Job


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mission by work package: dependencies, number of subtasks, seconds (implementation, review); and the
    slots that it gets."""

    dependencies: Mapping[str, tuple[str, ...]]
    subtasks: Mapping[str, int]
    seconds: Mapping[str, tuple[float, float]]
    slots: int

    @property
    def work(self) -> float:
        """Seconds of all attempts together."""
        return sum(sum(pair) for pair in self.seconds.values())

    @property
    def chain(self) -> float:
        """Seconds of the longest chain of dependencies."""
        ends: dict[str, float] = {}
        for wp, names in self.dependencies.items():  # drawn in an order that has dependencies first
            ends[wp] = sum(self.seconds[wp]) + max((ends[name] for name in names), default=0.0)
        return max(ends.values())

    @property
    def bound(self) -> float:
        """No schedule is shorter than this."""
        return max(self.chain, self.work / self.slots)

    def script(self, job: Job) -> Did:
        """What the agents do: good work, in the time drawn for it."""
        implement, review = self.seconds[job.wp]
        return job.work(seconds=implement) if job.role == "implement" else job.verdict(seconds=review)


def draw(random: Random) -> Drawn:
    """6 to 40 work packages, each depending on up to 3 of the 12 before it, on 2 to 6 slots.

    Of 2 to 8 subtasks each takes 3 minutes in the median, with a long tail that all of a work package's
    share; a review takes 3 minutes.
    """
    count = random.randint(6, 40)
    ids = [f"WP{number:02}" for number in range(1, count + 1)]
    subtasks = {wp: random.randint(2, 8) for wp in ids}
    return Drawn(
        {wp: _before(random, ids[max(0, at - 12) : at]) for at, wp in enumerate(ids)},
        subtasks,
        {wp: (count * _minutes(random), _minutes(random)) for wp, count in subtasks.items()},
        random.randint(2, 6),
    )


def _minutes(random: Random) -> float:
    return random.lognormvariate(log(180), 0.5)


def _before(random: Random, candidates: list[str]) -> tuple[str, ...]:
    wanted = random.choices((0, 1, 2, 3), weights=(4, 4, 2, 1))[0]
    return tuple(sorted(random.sample(candidates, min(wanted, len(candidates)))))
