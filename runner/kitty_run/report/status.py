"""The state of a run, folded from its journal: what each work package does, what waits, what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptInterrupted,
    AttemptStarted,
    CallStarted,
    ChecksStarted,
    Entry,
    Event,
    FamilyAwaited,
    GateAnswered,
    GateWaiting,
    LaneMovedByOthers,
    LimitReached,
    RetryDecided,
    ReworkStarted,
    RunEnded,
    RunStarted,
    SetupStarted,
    VerdictGiven,
    WorkReady,
    WorkspaceAwaited,
    WorkspacePrepared,
    WpEnded,
    WpMoved,
)
from kitty_run.engine.state.run_state import Memory
from kitty_run.engine.state.usage import NO_COST, Cost
from kitty_run.host.model import Lane
from kitty_run.profile.model import FailureClass


@dataclass(slots=True)
class WorkPackageStatus:
    """One work package.

    `doing` says in a few words what happens with it, empty before its turn; `since` is when that began and
    `until` when it continues by itself, where that is known. `agent` and `log` are of its latest attempt.
    `awaits` is the limited family that it waits for, empty where it waits for none.
    """

    lane: Lane = Lane.PLANNED
    dependencies: tuple[str, ...] = ()
    doing: str = ""
    since: datetime | None = None
    until: datetime | None = None
    awaits: str = ""
    agent: str = ""
    log: str = ""
    attempts: int = 0
    cycle: int = 1
    cost: Cost = NO_COST
    result: str = ""
    code: str = ""
    """Why it ended, for programs; empty before, and in journals of earlier versions."""
    reason: str = ""


@dataclass(slots=True)
class RunStatus:
    """A run. `exit_status` is None while its latest session has not ended; `gates` wait for an answer."""

    run_id: str
    mission: str = ""
    profile: str = ""
    contract: str = ""
    topology: str = ""
    pid: int = 0
    process: str = ""
    machine: str = ""
    sessions: int = 0
    began: datetime | None = None
    """When the latest session began."""
    latest: datetime | None = None
    """When the journal's last line was written."""
    exit_status: int | None = None
    reason: str = ""
    seconds: float = 0.0
    work_packages: dict[str, WorkPackageStatus] = field(default_factory=dict)
    gates: tuple[str, ...] = ()
    accepted: bool = False
    merged: str | None = None
    target: str | None = None
    calls: int = 0
    cost: Cost = NO_COST
    tokens: int = 0
    unknown_tokens: int = 0
    """Attempts that did not report all of their tokens."""
    limits: tuple[str, ...] = ()
    """Names of the limits that the latest session reached, such as `limits.cost_usd`."""
    limited: Mapping[str, Mapping[FailureClass, datetime]] = field(default_factory=dict)
    """Until when each agent family was or is limited, by the failure class that said so."""
    trust: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """By agent that was started and by axis, who holds its policy (`attempt.started`)."""
    restored: tuple[str, ...] = ()
    """What was put back of git's settings, which were changed while agents worked."""
    denied: tuple[str, ...] = ()
    """Where agents and checks were not let through to, as HOST:PORT."""
    doing: str = ""
    """What happens with the mission as a whole: accept or merge."""


class Follower:
    """Folds entries one by one; `status` is the run after the last one."""

    def __init__(self, run_id: str) -> None:
        self.status = RunStatus(run_id)
        self._memory = Memory()

    def take(self, entry: Entry) -> None:
        """Fold `entry`; unknown types change nothing."""
        self._memory.apply(entry)
        self.status.latest = entry.at
        _fold_run(self.status, entry)
        if entry.wp is not None:
            self._take_for(entry.wp, entry)
        memory, used = self._memory, self._memory.ledger.so_far()
        self.status.calls, self.status.tokens = memory.calls, used.tokens
        self.status.cost, self.status.unknown_tokens = used.cost, used.unknown_tokens
        self.status.accepted, self.status.limited = memory.accepted, memory.limited
        self.status.merged, self.status.target = memory.merged, memory.target
        self.status.restored, self.status.denied = memory.restored, memory.denied

    def _take_for(self, wp: str, entry: Entry) -> None:
        one = self.status.work_packages.setdefault(wp, WorkPackageStatus())
        _fold_state(one, entry.event)
        if (activity := _activity(entry)) is not None:
            one.doing, one.until, one.awaits = activity.doing, activity.until, activity.awaits
            one.since = entry.at
        memory = self._memory.of(wp)
        one.attempts, one.cycle = sum(memory.attempts.values()), memory.cycle
        one.cost = self._memory.ledger.so_far(wp).cost


def follow(run_id: str, entries: Iterable[Entry]) -> RunStatus:
    """The run after all of `entries`."""
    follower = Follower(run_id)
    for entry in entries:
        follower.take(entry)
    return follower.status


def _fold_run(run: RunStatus, entry: Entry) -> None:
    match entry.event:
        case RunStarted() as event:
            _began(run, event, entry.at)
        case RunEnded() as event:
            run.exit_status, run.reason = event.exit_status, event.reason
            run.seconds, run.doing = event.seconds, ""
        case GateWaiting(gate=gate):
            run.gates = (*(known for known in run.gates if known != gate), gate)
        case GateAnswered() as event:
            run.gates = tuple(gate for gate in run.gates if gate != event.gate)
        case AttemptStarted(agent=agent, trust=trust) if trust is not None:
            run.trust[agent] = trust
        case LimitReached(limit=limit):
            run.limits = tuple(dict.fromkeys((*run.limits, limit)))
        case CallStarted(wp=None, operation=operation):
            run.doing = operation


def _began(run: RunStatus, event: RunStarted, at: datetime) -> None:
    run.mission, run.profile = event.mission, event.profile
    run.contract, run.topology = event.contract, event.topology
    run.pid, run.process, run.machine = event.pid, event.process or "", event.machine
    run.sessions += 1
    run.began, run.exit_status, run.reason, run.gates, run.doing = at, None, "", (), ""
    run.limits = ()
    for wp, found in event.work_packages.items():
        one = run.work_packages.setdefault(wp, WorkPackageStatus())
        one.lane, one.dependencies = found.lane, found.dependencies
        one.doing = one.result = one.code = one.reason = ""
        one.since = one.until = None
        one.awaits = ""


def _fold_state(one: WorkPackageStatus, event: Event) -> None:
    match event:
        case AttemptStarted():
            one.agent, one.log = event.agent, str(event.log)
        case WpMoved() | LaneMovedByOthers():
            one.lane = event.lane
        case WpEnded():
            one.result, one.reason = event.result.value, event.reason
            one.code = event.code.value if event.code else ""


@dataclass(frozen=True, slots=True)
class _Activity:
    """What a work package does from now on."""

    doing: str
    until: datetime | None = None
    awaits: str = ""


def _activity(entry: Entry) -> _Activity | None:  # noqa: C901, PLR0911, PLR0912 - a table of types
    """What the entry's work package does after it; None where the event doesn't change that."""
    match entry.event:
        case AttemptStarted() as event:
            return _Activity(f"{event.role} {event.attempt}")
        case AttemptEnded(failure=None, role=role):
            return _Activity("commit" if role == "implement" else "verdict")
        case AttemptEnded(failure=failure):
            return _Activity(f"after {failure}")
        case AttemptInterrupted():
            return _Activity("interrupted")
        case ChecksStarted():
            return _Activity("checks")
        case SetupStarted() as event:
            return _Activity(f"{event.phase} {event.name}")
        case WorkspacePrepared():
            return _Activity("waits for an agent")
        case WorkReady() | VerdictGiven():
            return _Activity("waits for the host")
        case CallStarted(operation=operation):
            return _Activity(f"host: {operation}")
        case RetryDecided() as event:
            until = entry.at + timedelta(seconds=event.wait) if event.wait > 0 else None
            return _Activity(f"{event.action} after {event.key}", until)
        case FamilyAwaited() as event:
            return _Activity(f"waits for family {event.family}", event.until, event.family)
        case WorkspaceAwaited(holder=holder):
            return _Activity(f"waits for {holder}'s workspace")
        case ReworkStarted():
            return _Activity("waits for an agent")
        case GateWaiting(gate=gate):
            return _Activity(f"gate {gate}")
        case WpMoved(lane=lane):
            return _Activity("waits for an agent" if lane.for_agent else "")
        case WpEnded():
            return _Activity("")
    return None
