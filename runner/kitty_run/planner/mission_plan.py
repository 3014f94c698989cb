"""Planning: from a profile, and a look at the host, to what a run would do now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kitty_run.engine.decisions.budget import reached
from kitty_run.engine.lifecycle.state_machine import first_step
from kitty_run.engine.scheduling.critical_path import sizes, ways_left
from kitty_run.engine.scheduling.dependency_graph import cycle, missing, waves
from kitty_run.engine.scheduling.workspace_leases import WorkspaceLeases
from kitty_run.engine.state.events import Entry
from kitty_run.engine.state.own_runs import OwnRuns
from kitty_run.engine.state.run_directory import RunPlace, unfinished_run
from kitty_run.engine.state.run_state import Memory
from kitty_run.engine.state.session_report import Reached
from kitty_run.engine.state.usage import Ledger
from kitty_run.engine.state.work_package_memory import WorkPackageMemory
from kitty_run.host.model import Lane, MissionState, Topology, Traits, WorkPackage
from kitty_run.host.protocol import Host
from kitty_run.planner.agent_plan import planned_agent
from kitty_run.planner.plan import MissionPlan, Plan, WorkPackagePlan
from kitty_run.profile.finish import Finish
from kitty_run.profile.model import Profile


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of the host, and what an unfinished run remembers."""

    state: MissionState
    traits: Traits
    topology: Topology
    dialect: str
    contract: str
    target: str | None
    actor: str
    ways: Mapping[str, float]
    """Seconds from each work package to the end of the graph, as the scheduler would estimate them."""
    leases: WorkspaceLeases = field(default_factory=WorkspaceLeases)
    memories: Mapping[str, WorkPackageMemory] = field(default_factory=dict)
    run: str | None = None
    attempts: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    notices: tuple[str, ...] = ()
    """What of the journals is not believed."""
    obstacles: tuple[str, ...] = ()
    """What a run would be refused for."""
    warnings: tuple[str, ...] = ()
    """What a run would say at its start and not be refused for."""
    usd_today: float = 0.0
    """What all runs of the repository cost today, where the profile limits that."""


async def look(host: Host, repo: Path, actor: str) -> Seen:
    """Look at the mission; makes reading calls only."""
    state = await host.state()
    place, memory, notices = await asyncio.to_thread(_remembered, repo, state.mission)
    packages = state.work_packages
    lanes = {package.id: package.lane for package in packages}
    named = host.workspaces([package.id for package in packages])
    sized = await asyncio.to_thread(sizes, host, packages)
    return Seen(
        state=state,
        traits=host.traits,
        topology=host.topology,
        dialect=host.dialect,
        contract=host.contract,
        target=host.target,
        actor=actor,
        ways=ways_left(packages, lanes, memory.work_packages, sized, named),
        leases=WorkspaceLeases(named),
        memories=memory.work_packages,
        run=place.id if place else None,
        attempts=sum(sum(wp.attempts.values()) for wp in memory.work_packages.values()),
        ledger=memory.ledger,
        notices=notices,
    )


def _remembered(repo: Path, mission: str) -> tuple[RunPlace | None, Memory, tuple[str, ...]]:
    """The unfinished run, what it remembers, and which of the journals' claims are not believed."""
    known, memory, found = OwnRuns(repo), Memory(), dict[str, None]()

    def entries(place: RunPlace) -> tuple[Entry, ...]:
        own = known.journal(place)
        found[own.notice] = None
        return own.contents.entries

    place = unfinished_run(known.places, mission, entries)
    if place is not None:
        for event in entries(place):
            memory.apply(event)
        memory.ledger.close()
    return place, memory, tuple(filter(None, (*known.notices, *found)))


def make(profile: Profile, seen: Seen | None) -> Plan:
    """The plan for `profile`, with a mission where one was looked at. Raises LaunchError as a run would."""
    mission = seen.state.mission if seen else profile.mission or "<mission>"
    roles = {
        name: tuple(planned_agent(profile, profile.agents[agent], name, mission) for agent in role.agents)
        for name, role in profile.roles.items()
    }
    return Plan(profile, roles, _mission(profile, seen) if seen else None)


def _mission(profile: Profile, seen: Seen) -> MissionPlan:
    packages = seen.state.work_packages
    lanes = {package.id: package.lane for package in packages}
    rounds = _waves(packages, lanes, seen)
    planned = tuple(_work_package(package, lanes, rounds, seen) for package in packages)
    return MissionPlan(
        mission=seen.state.mission,
        dialect=seen.dialect,
        contract=seen.contract,
        topology=seen.topology.name,
        work_packages=planned,
        finish=tuple(_finish(profile.finish, seen)),
        run=seen.run,
        attempts=seen.attempts,
        cost=seen.ledger.run.cost,
        problems=tuple(_problems(profile, seen, planned)),
        warnings=seen.warnings,
    )


def _waves(
    packages: Sequence[WorkPackage], lanes: Mapping[str, Lane], seen: Seen
) -> dict[str, tuple[int, int]]:
    """For each id that runs, its wave from 1 and its place in it, in the scheduler's order.

    Those whose workspace a blocked one holds do not run.
    """
    open_ = [
        WorkPackage(package.id, package.lane, tuple(missing(package, lanes, seen.traits.satisfied_by)))
        if package.lane.startable
        else WorkPackage(package.id, package.lane)
        for package in packages
        if package.lane.in_motion and lanes.get(_holder(package.id, lanes, seen) or "") is not Lane.BLOCKED
    ]
    found: dict[str, tuple[int, int]] = {}
    for number, ids in enumerate(waves(open_, (), seen.leases.named), 1):
        ordered = sorted(ids, key=lambda wp: (lanes[wp].startable, -seen.ways.get(wp, 0.0)))
        found |= {wp: (number, place) for place, wp in enumerate(ordered)}
    return found


def _holder(wp: str, lanes: Mapping[str, Lane], seen: Seen) -> str | None:
    """The work package that keeps `wp` out of its workspace now."""
    packages = {package.id: package for package in seen.state.work_packages}
    return seen.leases.holder(wp, packages, lanes, seen.memories)


def _waits_on(package: WorkPackage, lanes: Mapping[str, Lane], seen: Seen) -> Iterator[str]:
    """Dependencies that are not satisfied, and who holds the workspace."""
    if not package.lane.startable:
        return
    absent = missing(package, lanes, seen.traits.satisfied_by)
    yield from (f"{wp} ({lanes.get(wp, 'not in this mission')})" for wp in absent)
    holder = _holder(package.id, lanes, seen)
    if holder is not None and holder not in absent:
        yield f"{holder} ({lanes[holder]}), which works in the same workspace"


def _work_package(
    package: WorkPackage, lanes: Mapping[str, Lane], rounds: Mapping[str, tuple[int, int]], seen: Seen
) -> WorkPackagePlan:
    named = seen.leases.named
    wave = rounds.get(package.id)
    unblock = seen.traits.unblocking(seen.state.mission, package.id, seen.actor)
    return WorkPackagePlan(
        id=package.id,
        lane=package.lane,
        dependencies=package.dependencies,
        wave=wave[0] if wave else None,
        place=wave[1] if wave else 0,
        step=first_step(package.lane, seen.traits.review_claim) if wave else None,
        waits_on=tuple(_waits_on(package, lanes, seen)),
        advice=unblock if package.lane is Lane.BLOCKED else "",
        shares=tuple(
            wp for wp in lanes if wp != package.id and wp in named and named[wp] == named.get(package.id)
        ),
    )


def _problems(profile: Profile, seen: Seen, planned: Sequence[WorkPackagePlan]) -> Iterator[str]:
    if found := cycle(seen.state.work_packages):
        yield f"dependency cycle {' -> '.join(found)}: none of them can start"
    for one in planned:
        if one.lane is Lane.BLOCKED:
            yield f"{one.id} is blocked on the host; {one.advice}"
        elif one.lane is Lane.CANCELED and one.lane not in seen.traits.finished:
            yield f"{one.id} is canceled: the host does not accept the mission without it"
        elif one.wave is None and one.lane is not Lane.DONE:
            yield f"{one.id} can't start: it waits on {', '.join(one.waits_on)}"
    yield from seen.obstacles
    for limit in _reached(profile, seen):
        whose = f"{limit.wp} is" if limit.wp else "the run is"
        yield f"{whose} at {limit}; raise it to continue"
    merge = profile.finish.merge
    if merge is not None and merge.strategy not in seen.traits.merge_strategies:
        works = " or ".join(sorted(seen.traits.merge_strategies))
        yield f"finish.merge.strategy: {merge.strategy} does not work on this host; it merges by {works}"


def _reached(profile: Profile, seen: Seen) -> Iterator[Reached]:
    """The limits that an unfinished run comes to at once, where there is work left that needs agents."""
    ledger, limits = seen.ledger, profile.limits
    left = [package.id for package in seen.state.work_packages if package.lane.in_motion]
    if left:
        yield from reached(limits, replace(ledger.run, seconds=ledger.seconds, usd_today=seen.usd_today))
    for wp in left:
        yield from reached(limits.work_package, ledger.of(wp), wp)


def _finish(finish: Finish, seen: Seen) -> Iterator[str]:
    if finish.accept:
        yield "accept the mission" + (
            ", after the merge again if the host crashes at it" if seen.topology.accept == "around" else ""
        )
    if finish.merge is None:
        return
    if seen.topology.status_at:
        yield "commit what the host noted in its status files and did not commit itself"
    elif seen.topology.commit_status:
        yield "commit the host's status files, which this topology's merge needs"
    target = finish.merge.target or seen.target or "the branch of the root checkout"
    pushed = ", and push it" if finish.merge.push else ""
    yield f"merge into {target} by {finish.merge.strategy}{pushed}"
    yield "verify with git that all the work is there"
    if not seen.traits.cleans_up:
        yield "remove the merged worktrees and branches"
