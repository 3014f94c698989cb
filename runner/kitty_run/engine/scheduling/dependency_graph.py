"""The dependency graph of a mission: what may start, what never can, and in which waves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from kitty_run.host.model import Lane, WorkPackage


@dataclass(frozen=True, slots=True)
class Waiting:
    """A work package that can't start, and the dependencies that it waits on with what is known of each."""

    wp: str
    on: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.wp} waits on " + ", ".join(f"{wp} ({why})" for wp, why in self.on)


def missing(work_package: WorkPackage, lanes: Mapping[str, Lane], satisfied_by: frozenset[Lane]) -> list[str]:
    """The dependencies of `work_package` that don't let it start; an unknown id is always missing."""
    return [wp for wp in work_package.dependencies if wp not in lanes or lanes[wp] not in satisfied_by]


def in_motion(
    work_packages: Sequence[WorkPackage], lanes: Mapping[str, Lane], satisfied_by: frozenset[Lane]
) -> list[str]:
    """Ids that can be worked on now, in the host's order: unfinished, and startable or past the start."""
    found = []
    for work_package in work_packages:
        lane = lanes[work_package.id]
        if not lane.in_motion:
            continue
        if lane.past_implementation or not missing(work_package, lanes, satisfied_by):
            found.append(work_package.id)
    return found


def cycle(work_packages: Sequence[WorkPackage]) -> tuple[str, ...]:
    """A dependency cycle, first id repeated at the end; empty where there is none."""
    try:
        TopologicalSorter({wp.id: wp.dependencies for wp in work_packages}).prepare()
    except CycleError as error:
        return tuple(reversed(error.args[1]))
    return ()


def stuck(
    work_packages: Sequence[WorkPackage],
    lanes: Mapping[str, Lane],
    satisfied_by: frozenset[Lane],
    why: Mapping[str, str],
) -> list[Waiting]:
    """The work packages that wait on something, each with its unsatisfied dependencies.

    `why` has the run's own word for an id (a block's reason, who holds it) where the lane is not enough.
    """
    found = []
    for work_package in work_packages:
        if not lanes[work_package.id].startable:
            continue
        absent = missing(work_package, lanes, satisfied_by)
        if absent:
            reasons = ((wp, why.get(wp) or _lane_word(wp, lanes)) for wp in absent)
            found.append(Waiting(work_package.id, tuple(reasons)))
    return found


def _lane_word(wp: str, lanes: Mapping[str, Lane]) -> str:
    return lanes[wp].value if wp in lanes else "not in this mission"


def waves(
    work_packages: Sequence[WorkPackage],
    finished: Collection[str],
    workspaces: Mapping[str, str] | None = None,
) -> list[list[str]]:
    """Ids by the earliest round they can run in when everything goes well; `finished` are left out.

    Of those that share one of `workspaces`, one runs in a round: what is claimed already, else the first.
    Work packages that can never run (a cycle, an unknown dependency) are in no wave.
    """
    pending = {wp.id: set(wp.dependencies) - set(finished) for wp in work_packages if wp.id not in finished}
    rounds: list[list[str]] = []
    claimed = {wp.id for wp in work_packages if wp.lane is not Lane.PLANNED}
    while ready := [wp for wp, needs in pending.items() if not needs]:
        ready = _one_each(ready, claimed, workspaces or {})
        rounds.append(ready)
        for wp in ready:
            del pending[wp]
        for needs in pending.values():
            needs.difference_update(ready)
    return rounds


def _one_each(ready: Sequence[str], claimed: Collection[str], workspaces: Mapping[str, str]) -> list[str]:
    """The ids of `ready` that have their workspace to themselves, in its order."""
    first: dict[str, str] = {}
    for wp in sorted(ready, key=lambda one: one not in claimed):
        first.setdefault(workspaces.get(wp, f"/{wp}"), wp)
    return [wp for wp in ready if wp in first.values()]


def longest_ways(work_packages: Sequence[WorkPackage], seconds: Mapping[str, float]) -> dict[str, float]:
    """For each id the longest way from its start to the end of the graph, at `seconds` for each on it.

    Work packages that can never run (a cycle) and those before them have none, and are left out.
    """
    dependents = Counter(name for wp in work_packages for name in wp.dependencies)
    ends = [wp.id for wp in work_packages if not dependents[wp.id]]
    needs = {wp.id: wp.dependencies for wp in work_packages}
    after: dict[str, float] = {}
    ways: dict[str, float] = {}
    while ends:
        wp = ends.pop()
        ways[wp] = seconds[wp] + after.get(wp, 0.0)
        for name in needs[wp]:
            after[name] = max(after.get(name, 0.0), ways[wp])
            dependents[name] -= 1
            if name in needs and not dependents[name]:
                ends.append(name)
    return ways
