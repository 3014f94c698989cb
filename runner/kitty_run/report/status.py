"""The state of a run, folded from its journal: what each work package does, what waits, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kitty_run.engine.state.journal import Event
from kitty_run.engine.state.run_state import Memory
from kitty_run.engine.state.usage import NO_COST, Cost
from kitty_run.host.model import Lane

Data = Mapping[str, object]


@dataclass(slots=True)
class WorkPackageStatus:
    """One work package.

    `doing` says in a few words what happens with it, empty before its turn; `since` is when that began and
    `until` when it goes on by itself, where that is known. `agent` and `log` are of its latest attempt.
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
    limited: dict[str, dict[str, datetime]] = field(default_factory=dict)
    """Until when each agent family was or is limited, by the failure class that told so."""
    restored: tuple[str, ...] = ()
    """What was put back of git's settings, which were changed while agents worked."""
    doing: str = ""
    """What happens with the mission as a whole: accept or merge."""


class Follower:
    """Folds events one by one; `status` is the run after the last one."""

    def __init__(self, run_id: str) -> None:
        self.status = RunStatus(run_id)
        self._memory = Memory()

    def take(self, event: Event) -> None:
        """Fold `event`; unknown types change nothing."""
        self._memory.apply(event)
        self.status.latest = event.at
        if fold_run := _RUN.get(event.type):
            fold_run(self.status, event)
        if event.wp is not None:
            self._take_for(event.wp, event)
        memory, used = self._memory, self._memory.ledger.so_far()
        self.status.calls, self.status.tokens = memory.calls, used.tokens
        self.status.cost, self.status.unknown_tokens = used.cost, used.unknown_tokens
        self.status.accepted, self.status.limited = memory.accepted, memory.limited
        self.status.merged, self.status.target = memory.merged, memory.target
        self.status.restored = memory.restored

    def _take_for(self, wp: str, event: Event) -> None:
        one = self.status.work_packages.setdefault(wp, WorkPackageStatus())
        if fold := _WORK_PACKAGE.get(event.type):
            fold(one, event)
        memory = self._memory.of(wp)
        one.attempts, one.cycle = sum(memory.attempts.values()), memory.cycle
        one.cost = self._memory.ledger.so_far(wp).cost


def follow(run_id: str, events: Iterable[Event]) -> RunStatus:
    """The run after all of `events`."""
    follower = Follower(run_id)
    for event in events:
        follower.take(event)
    return follower.status


def _began(run: RunStatus, event: Event) -> None:
    data = event.data
    run.mission, run.profile = str(data["mission"]), str(data["profile"])
    run.contract, run.topology = str(data["contract"]), str(data["topology"])
    run.pid, run.machine = int(str(data["pid"])), str(data["machine"])
    run.sessions += 1
    run.began, run.exit_status, run.reason, run.gates, run.doing = event.at, None, "", (), ""
    run.limits = ()
    packages = data["work_packages"]
    for wp, found in packages.items() if isinstance(packages, Mapping) else ():
        one = run.work_packages.setdefault(str(wp), WorkPackageStatus())
        one.lane, one.dependencies = Lane(str(found["lane"])), tuple(found["dependencies"])
        one.doing = one.result = one.reason = ""
        one.since = one.until = None
        one.awaits = ""


def _ended(run: RunStatus, event: Event) -> None:
    data = event.data
    run.exit_status, run.reason = int(str(data["exit_status"])), str(data["reason"])
    run.seconds, run.doing = float(str(data["seconds"])), ""


def _waits(run: RunStatus, event: Event) -> None:
    gate = str(event.data["gate"])
    run.gates = (*(known for known in run.gates if known != gate), gate)


def _answered(run: RunStatus, event: Event) -> None:
    run.gates = tuple(gate for gate in run.gates if gate != event.data["gate"])


def _limited(run: RunStatus, event: Event) -> None:
    run.limits = tuple(dict.fromkeys((*run.limits, str(event.data["limit"]))))


def _finishing(run: RunStatus, event: Event) -> None:
    if event.wp is None:
        run.doing = str(event.data["operation"])


_RUN: Mapping[str, Callable[[RunStatus, Event], None]] = {
    "run.started": _began,
    "run.resumed": _began,
    "run.ended": _ended,
    "gate.waiting": _waits,
    "gate.answered": _answered,
    "limit.reached": _limited,
    "call.started": _finishing,
}


def _now(one: WorkPackageStatus, event: Event, doing: str, until: datetime | None = None) -> None:
    one.doing, one.since, one.until, one.awaits = doing, event.at, until, ""


def _attempt(one: WorkPackageStatus, event: Event) -> None:
    data = event.data
    one.agent, one.log = str(data["agent"]), str(data["log"])
    _now(one, event, f"{data['role']} {data['attempt']}")


def _attempt_ended(one: WorkPackageStatus, event: Event) -> None:
    data = event.data
    if data["failure"] is None:
        _now(one, event, "checks and commit" if data["role"] == "implement" else "verdict")
    else:
        _now(one, event, f"after {data['failure']}")


def _retry(one: WorkPackageStatus, event: Event) -> None:
    data, wait = event.data, float(str(event.data["wait"]))
    until = event.at + timedelta(seconds=wait) if wait > 0 else None
    _now(one, event, f"{data['action']} after {data['key']}", until)


def _awaits(one: WorkPackageStatus, event: Event) -> None:
    data = event.data
    _now(one, event, f"waits for family {data['family']}", datetime.fromisoformat(str(data["until"])))
    one.awaits = str(data["family"])


def _gate(one: WorkPackageStatus, event: Event) -> None:
    _now(one, event, f"gate {event.data['gate']}")


def _moved(one: WorkPackageStatus, event: Event) -> None:
    one.lane = Lane(str(event.data["lane"]))
    _now(one, event, "waits for an agent" if one.lane.for_agent else "")


def _wp_ended(one: WorkPackageStatus, event: Event) -> None:
    one.result, one.reason = str(event.data["result"]), str(event.data["reason"])
    _now(one, event, "")


_WORK_PACKAGE: Mapping[str, Callable[[WorkPackageStatus, Event], None]] = {
    "attempt.started": _attempt,
    "attempt.ended": _attempt_ended,
    "attempt.interrupted": lambda one, event: _now(one, event, "interrupted"),
    "call.started": lambda one, event: _now(one, event, f"host: {event.data['operation']}"),
    "retry.decided": _retry,
    "family.awaited": _awaits,
    "workspace.awaited": lambda one, event: _now(one, event, f"waits for {event.data['holder']}'s workspace"),
    "rework.started": lambda one, event: _now(one, event, "waits for an agent"),
    "gate.waiting": _gate,
    "wp.moved": _moved,
    "wp.ended": _wp_ended,
}
