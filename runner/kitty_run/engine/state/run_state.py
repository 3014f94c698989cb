"""What the runner knows that the host does not hold, folded from the journal's events.

The same fold serves a running engine and one that goes on after a crash, so that both decide alike.
Losing it loses no work: the host's lanes and git's commits are enough to go on, only attempts, sessions,
costs and feedback start anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from kitty_run.agents.model import Started
from kitty_run.engine.state.end_codes import Result
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptInterrupted,
    AttemptProcess,
    AttemptStarted,
    CallEnded,
    CallStarted,
    CheckRecord,
    Entry,
    Event,
    FamilyLimited,
    GateAnswered,
    GitRestored,
    HeadFound,
    LaneMovedByOthers,
    MergeConflicted,
    MergeStarted,
    MergeVerified,
    MissionAccepted,
    ProcessEnded,
    RetryDecided,
    ReworkStarted,
    RunResumed,
    RunStarted,
    SessionDropped,
    VerdictGiven,
    WorkLeft,
    WorkReady,
    WorkspaceAllocated,
    WorkspaceAwaited,
    WpEnded,
    WpMoved,
)
from kitty_run.engine.state.usage import Ledger
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action, FailureClass


@dataclass(slots=True)
class WorkPackageMemory:
    """One work package's memory.

    `cycle` counts rounds of implementation from 1 (each rework begins one). `attempts` numbers the
    attempts per role, for log names. `agent` is the index of the role's current agent. `repeats` counts
    uses of retry rows. `feedback` is the review that this cycle answers; `notes` say per role what the
    last failed attempt came to. `base` is the commit that the WP's own work is measured from, in
    `workspace` on `branch`. `ready` is the commit that passed the output gate and the checks. `verdict`
    is the last one with its commit. `seconds` says per role how long its last good attempt took.

    `sessions` are the conversations to take up again, by `role:agent`; `resumed` names the roles whose
    latest attempt took one up. `granted` is per role the counter of the wait that was decided last, until
    its attempt starts. `authors` are the families whose work is in the workspace, the latest last.
    `inspected` is the commit that a reviewer was started on which nobody has cleaned up after yet.
    `reviewed` is the commit that was approved, by a reviewer or by whoever approved it on the host.
    `awaits`: it was claimed, and then waited for its workspace without touching it.
    `under_way` is the implementing attempt that was started and of which nobody knows yet what it left.
    `found` is the lane that the run found it in when it began, `claims` how often the host was asked for it;
    `asked` tells whether a person was asked to do something about it. `lane` is the host's as it was last
    known, `called` the operation of the latest call of which no success is known. `moved` is the lane that
    others moved it to during an own attempt, until that is reviewed; `doubted` tells whether that ever was.
    `approver` is who approved it on the host instead of this run's reviewers.
    """

    cycle: int = 1
    attempts: dict[str, int] = field(default_factory=dict)
    agent: dict[str, int] = field(default_factory=dict)
    repeats: dict[str, int] = field(default_factory=dict)
    granted: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    resumed: set[str] = field(default_factory=set)
    feedback: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    base: str | None = None
    workspace: Path | None = None
    branch: str | None = None
    conflicted: bool = False
    """Whether people were told that it can't be merged, and how to resolve that."""
    awaits: bool = False
    ready: str | None = None
    checks: tuple[CheckRecord, ...] = ()
    authors: list[str] = field(default_factory=list)
    under_way: AttemptStarted | None = None
    inspected: str | None = None
    verdict: VerdictGiven | None = None
    reviewed: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    found: Lane | None = None
    claims: int = 0
    asked: bool = False
    lane: Lane | None = None
    called: str | None = None
    moved: Lane | None = None
    doubted: bool = False
    approver: str | None = None

    def untouched(self) -> bool:
        """Whether a claim came to no end before, and certainly nobody has worked in the workspace since.

        Neither an agent did, nor a person who was told that the work package is blocked.
        """
        fresh = self.found is Lane.PLANNED and self.base is None and not self.attempts
        return fresh and self.claims > 1 and not self.asked


@dataclass(slots=True)
class Memory:
    """The whole run's memory; `apply` is the only thing that changes it."""

    work_packages: dict[str, WorkPackageMemory] = field(default_factory=dict)
    noted: set[tuple[str, str]] = field(default_factory=set)
    """Answers to gates, by gate and when they were given, that the host's history was told of."""
    noting: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of each work package whose history is about to be told of an answer, which one that is."""
    ledger: Ledger = field(default_factory=Ledger)
    """What attempts used, of the run and of each work package."""
    processes: dict[str, Started] = field(default_factory=dict)
    """Started and not seen ended, by marker: what a killed run may have left behind."""
    limited: dict[str, dict[FailureClass, datetime]] = field(default_factory=dict)
    """Until when each agent family was or is limited, by the failure class that told so; aware times."""
    heads: dict[str, str] = field(default_factory=dict)
    """The commit of each work package that the merge must contain."""
    merged: str | None = None
    target: str | None = None
    accepted: bool = False
    at_work: set[str] = field(default_factory=set)
    """Work packages of which an own attempt is at work."""
    attempted: set[str] = field(default_factory=set)
    """Those of which one was at work since the host was last asked for its lanes."""
    attempted_before: frozenset[str] = frozenset()
    """The same, as the session before left it."""
    restored: tuple[str, ...] = ()
    """What was put back of git's settings, in all sessions."""
    calls: int = 0

    def of(self, wp: str) -> WorkPackageMemory:
        """The memory of `wp`, empty at first."""
        return self.work_packages.setdefault(wp, WorkPackageMemory())

    def apply(self, entry: Entry) -> None:
        """Fold one entry; events that leave no memory are passed over."""
        self.ledger.take(entry)
        event = entry.event
        if event.wp is not None:
            _remember(self.of(event.wp), event)
        self._remember(event)

    def _remember(self, event: Event) -> None:  # noqa: C901, PLR0912 - a table of types
        """What concerns more than one work package."""
        match event:
            case RunResumed():  # how it was found by the run is what its first session found
                self.attempted_before = frozenset(self.attempted)
                self.at_work = set()
            case RunStarted():
                for wp, found in event.work_packages.items():
                    self.of(wp).found = self.of(wp).lane = found.lane
            case AttemptStarted(wp=str(wp)):
                self.at_work.add(wp)
                self.attempted.add(wp)
            case AttemptEnded(wp=str(wp)) | AttemptInterrupted(wp=str(wp)):
                self.at_work.discard(wp)
            case CallEnded():
                self.calls += 1
                if event.operation == "state" and event.code is None:
                    self.attempted = set(self.at_work)
                if event.operation == "note" and event.wp in self.noting:
                    self.noted.add(self.noting.pop(event.wp))
            case GateAnswered(history=str(wp)):
                self.noting[wp] = (event.gate, event.given)
            case FamilyLimited():
                limits = self.limited.setdefault(event.family, {})
                limits[event.failure] = max(event.until, limits.get(event.failure, event.until))
            case AttemptProcess():
                self.processes[event.marker] = Started(event.pid, event.created)
            case ProcessEnded():
                self.processes.pop(event.marker, None)
            case GitRestored(changed=changed):
                self.restored = tuple(dict.fromkeys((*self.restored, *changed)))
            case MissionAccepted():
                self.accepted = True
            case MergeStarted():
                self.heads.update(event.heads)
            case MergeVerified():
                self.merged, self.target = event.commit or "", event.target


def _remember(memory: WorkPackageMemory, event: Event) -> None:  # noqa: C901, PLR0912 - a table of types
    match event:
        case WpMoved(lane=lane):
            memory.lane, memory.moved = lane, None
        case LaneMovedByOthers():
            memory.lane = event.lane
            memory.moved, memory.doubted = (event.lane, True) if event.approval else (None, memory.doubted)
        case CallStarted():
            memory.claims += event.operation == "claim"
            memory.called = event.operation
        case CallEnded(code=None):
            _progressed(memory, event.operation)
            memory.called = None
        case WorkspaceAllocated():
            memory.base, memory.workspace, memory.branch = event.base, event.path, event.branch or None
            memory.awaits = False
        case MergeConflicted():
            memory.conflicted = True
        case WorkspaceAwaited():
            memory.awaits = memory.awaits or (event.claimed and memory.base is None)
        case AttemptStarted():
            _attempt_started(memory, event)
        case AttemptEnded():
            _attempt_ended(memory, event)
        case SessionDropped():
            memory.sessions.pop(f"{event.role}:{event.agent}", None)
        case WorkLeft():
            if event.files:
                _wrote(memory)
            memory.under_way = None
        case WorkReady():
            _wrote(memory)
            memory.ready, memory.checks = event.commit, event.checks
        case RetryDecided():
            _retry_decided(memory, event)
        case VerdictGiven():
            memory.verdict, memory.inspected = event, None
            memory.reviewed = event.commit if event.verdict == "approved" else None
        case HeadFound():
            memory.reviewed, memory.approver = event.commit, event.by or "others"
        case ReworkStarted():
            _rework_started(memory, event)
        case WpEnded():
            memory.asked = memory.asked or event.result in {Result.BLOCKED, Result.FAILED}
            memory.inspected = None


def _attempt_started(memory: WorkPackageMemory, event: AttemptStarted) -> None:
    role = event.role
    memory.attempts[role] = event.attempt
    memory.granted.pop(role, None)
    (memory.resumed.add if event.session else memory.resumed.discard)(role)
    memory.inspected = event.head or None if role == "review" else None
    if role == "implement":
        _wrote(memory)
        memory.under_way = event


def _wrote(memory: WorkPackageMemory) -> None:
    """What is under way counts as work of its agent's family, which is the latest then."""
    if memory.under_way is not None:
        family = memory.under_way.family
        memory.authors = [*(known for known in memory.authors if known != family), family]
        memory.under_way = None


def _attempt_ended(memory: WorkPackageMemory, event: AttemptEnded) -> None:
    if event.session:
        memory.sessions[f"{event.role}:{event.agent}"] = event.session
    if event.failure is None:
        memory.seconds[event.role] = event.seconds


def _retry_decided(memory: WorkPackageMemory, event: RetryDecided) -> None:
    if event.repeat:
        memory.repeats[event.counter] = event.repeat
    if event.role is None:
        return
    if event.next_agent is not None:
        memory.agent[event.role] = event.next_agent
    if event.role == "review":
        memory.inspected = None
    memory.notes[event.role] = event.note or ""
    if event.action is Action.WAIT:
        memory.granted[event.role] = event.counter


def _rework_started(memory: WorkPackageMemory, event: ReworkStarted) -> None:
    memory.cycle, memory.feedback = event.cycle, event.feedback
    memory.ready = memory.verdict = memory.reviewed = None
    kept = {key: count for key, count in memory.repeats.items() if key.startswith("review:changes_requested")}
    memory.repeats = kept
    memory.notes = {}
    memory.agent.pop("review", None)
    memory.sessions = {key: value for key, value in memory.sessions.items() if key.startswith("implement:")}


def _progressed(memory: WorkPackageMemory, operation: str) -> None:
    prefix = f"host:{operation}:"
    memory.repeats = {key: count for key, count in memory.repeats.items() if not key.startswith(prefix)}
