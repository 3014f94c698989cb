"""How long work packages will take, judged by the attempts that this mission has seen so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from kitty_run.engine.graph import OVER, STARTABLE, longest_ways
from kitty_run.engine.memory import WorkPackageMemory
from kitty_run.host.model import Lane, WorkPackage

GUESS = {"implement": 1.0, "review": 0.0}
"""Seconds of an attempt while none has been measured: then only how many work packages follow counts."""

Memories = Mapping[str, WorkPackageMemory]


def ways_left(
    work_packages: Sequence[WorkPackage], lanes: Mapping[str, Lane], memories: Memories
) -> dict[str, float]:
    """Seconds from each unfinished work package to the end of the graph, by the longest way.

    Those that can never run, and those before them, are left out.

    An attempt is expected to take as long as the last one of its role for this work package did, and one
    of a work package that is new as long as such attempts did in the mean.
    """
    means = {role: _mean(role, memories.values()) for role in GUESS}
    left = [wp for wp in work_packages if lanes[wp.id] not in OVER]
    seconds = {wp.id: _seconds(lanes[wp.id], memories.get(wp.id), means) for wp in left}
    return longest_ways(left, seconds)


def _mean(role: str, memories: Iterable[WorkPackageMemory]) -> float:
    measured = [memory.seconds[role] for memory in memories if role in memory.seconds]
    return fmean(measured) if measured else GUESS[role]


def _seconds(lane: Lane, memory: WorkPackageMemory | None, means: Mapping[str, float]) -> float:
    expected = {**means, **(memory.seconds if memory else {})}
    return expected["review"] + (expected["implement"] if lane in STARTABLE else 0.0)
