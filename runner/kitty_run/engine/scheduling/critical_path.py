"""How long work packages will take, by their size and by the attempts that this mission has seen so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from kitty_run.agents.launch.task import TaskError, read_task
from kitty_run.engine.scheduling.dependency_graph import longest_ways
from kitty_run.engine.state.work_package_memory import WorkPackageMemory
from kitty_run.host.model import Lane, WorkPackage
from kitty_run.host.protocol import Host

GUESS = {"implement": 1.0, "review": 0.0}
"""Seconds of an attempt while none has been measured: then only size and what follows count."""

Memories = Mapping[str, WorkPackageMemory]
Sizes = Mapping[str, float]
"""Work packages by how large they are compared with the mean; one that is not named is of that."""


def sizes(host: Host, work_packages: Sequence[WorkPackage]) -> Sizes:
    """The work packages that list subtasks, by their number compared with the mean; reads files, blocking."""
    counts = {wp.id: count for wp in work_packages if (count := _subtasks(host, wp.id))}
    mean = fmean(counts.values()) if counts else 1.0
    return {wp: count / mean for wp, count in counts.items()}


def ways_left(
    work_packages: Sequence[WorkPackage],
    lanes: Mapping[str, Lane],
    memories: Memories,
    sizes: Sizes,
    workspaces: Mapping[str, str],
) -> dict[str, float]:
    """Seconds from each unfinished work package to the end of the graph, by the longest way.

    Those that share one of `workspaces` follow each other: each has at least the time of all of them ahead.
    Those that can never run, and those before them, are left out.

    An attempt is expected to take as long as the last one of its role for this work package did. That of a
    work package that is new takes the mean of such attempts, for a work package of its size.
    """
    means = {role: _mean(role, memories, sizes) for role in GUESS}
    left = [wp for wp in work_packages if lanes[wp.id].in_motion]
    seconds = {
        wp.id: _seconds(lanes[wp.id], memories.get(wp.id), _scaled(means, sizes.get(wp.id, 1.0)))
        for wp in left
    }
    ways = longest_ways(left, seconds)
    together: defaultdict[str, float] = defaultdict(float)
    for wp in ways:
        together[workspaces.get(wp, f"/{wp}")] += seconds[wp]
    return {wp: max(way, together[workspaces.get(wp, f"/{wp}")]) for wp, way in ways.items()}


def _subtasks(host: Host, wp: str) -> int:
    """How many subtasks `wp` lists; 0 where it lists none, or its prompt file can't be read yet."""
    path = host.prompt_file(wp)
    try:
        return 0 if path is None else len(read_task(path, wp).subtasks)
    except TaskError:
        return 0


def _mean(role: str, memories: Memories, sizes: Sizes) -> float:
    measured = {wp: memory.seconds[role] for wp, memory in memories.items() if role in memory.seconds}
    if not measured:
        return GUESS[role]
    return sum(measured.values()) / sum(_scale(role, sizes.get(wp, 1.0)) for wp in measured)


def _scaled(means: Mapping[str, float], size: float) -> dict[str, float]:
    return {role: mean * _scale(role, size) for role, mean in means.items()}


def _scale(role: str, size: float) -> float:
    """A review takes about as long for a large work package as for a small one."""
    return size if role == "implement" else 1.0


def _seconds(lane: Lane, memory: WorkPackageMemory | None, means: Mapping[str, float]) -> float:
    expected = {**means, **(memory.seconds if memory else {})}
    return expected["review"] + (expected["implement"] if lane.startable else 0.0)
