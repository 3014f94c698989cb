"""What the runner knows of one work package that the host does not hold, folded from the journal's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kitty_run.engine.state.end_codes import Result
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptInterrupted,
    AttemptStarted,
    CallEnded,
    CallStarted,
    CheckRecord,
    ChecksStarted,
    Event,
    HeadFound,
    LaneMovedByOthers,
    MergeConflicted,
    RetryDecided,
    ReviewDiscarded,
    ReworkStarted,
    SessionDropped,
    SetupStarted,
    VerdictGiven,
    WorkDelivered,
    WorkLeft,
    WorkReady,
    WorkspaceAllocated,
    WorkspaceAwaited,
    WorkspacePrepared,
    WpEnded,
    WpMoved,
)
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action


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
    `rejected` is the commit that the review which this cycle answers was about.
    `reviewed` is the commit that was approved, by a reviewer or by whoever approved it on the host.
    `awaits`: it was claimed, and then waited for its workspace without touching it.
    `under_way` is the implementing attempt that was started and of which nobody knows yet what it left.
    `begun` is per role the latest attempt, `ended` its end, as long as nothing was decided on that yet.
    `found` is the lane that the run found it in when it began, `claims` how often the host was asked for it;
    `asked` says whether a person was asked to do something about it. `lane` is the host's as it was last
    known, `called` the operation of the latest call of which no success is known. `moved` is the lane that
    others moved it to during an own attempt, until that is reviewed; `doubted` says whether that ever was.
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
    """Whether people have read that it can't be merged, and how to resolve that."""
    awaits: bool = False
    ready: str | None = None
    checks: tuple[CheckRecord, ...] = ()
    authors: list[str] = field(default_factory=list)
    under_way: AttemptStarted | None = None
    begun: dict[str, AttemptStarted] = field(default_factory=dict)
    ended: dict[str, AttemptEnded] = field(default_factory=dict)
    checking: ChecksStarted | None = None
    """The checks on work that passed the output gate, until their results are known."""
    inspected: str | None = None
    rejected: str | None = None
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
    setting_up: SetupStarted | None = None
    """The command that prepares its workspace, until it is known what came of that."""
    left: Mapping[str, str] = field(default_factory=dict)
    """What the preparation of its workspace left there, as in `WorkspacePrepared`."""
    delivered: WorkDelivered | None = None
    """What of its work was brought onto the mission's target last."""

    def untouched(self) -> bool:
        """Whether a claim came to no end before, and certainly nobody has worked in the workspace since.

        Neither an agent did, nor a person who reads that the work package is blocked.
        """
        fresh = self.found is Lane.PLANNED and self.base is None and not self.attempts
        return fresh and self.claims > 1 and not self.asked


def remember(memory: WorkPackageMemory, event: Event) -> None:  # noqa: C901, PLR0912, PLR0915 - a table
    """Fold one event about the work package into `memory`; what leaves no memory is passed over."""
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
        case WorkDelivered():
            memory.delivered = event
        case WorkspaceAwaited():
            memory.awaits = memory.awaits or (event.claimed and memory.base is None)
        case AttemptStarted():
            _attempt_started(memory, event)
        case AttemptEnded():
            _attempt_ended(memory, event)
        case AttemptInterrupted():
            memory.ended.pop(event.role, None)
        case SessionDropped():
            memory.sessions.pop(f"{event.role}:{event.agent}", None)
        case ChecksStarted():
            memory.checking = event
        case SetupStarted(phase="setup", role="implement"):
            memory.setting_up = event
        case WorkspacePrepared(role="implement"):
            memory.setting_up, memory.left = None, event.left
        case WorkLeft():
            if event.files:
                _wrote(memory)
            memory.under_way = memory.checking = None
        case WorkReady():
            _wrote(memory)
            memory.ready, memory.checks, memory.checking = event.commit, event.checks, None
            memory.ended.pop("implement", None)
        case RetryDecided():
            _retry_decided(memory, event)
        case VerdictGiven():
            memory.verdict, memory.inspected = event, None
            memory.ended.pop("review", None)
            memory.reviewed = event.commit if event.verdict == "approved" else None
        case HeadFound():
            memory.reviewed, memory.approver = event.commit, event.by or "others"
        case ReworkStarted():
            _rework_started(memory, event)
        case ReviewDiscarded():
            memory.inspected = None
        case WpEnded():
            _wp_ended(memory, event)


def _attempt_started(memory: WorkPackageMemory, event: AttemptStarted) -> None:
    role = event.role
    memory.attempts[role] = event.attempt
    memory.begun[role] = event
    memory.ended.pop(role, None)
    memory.granted.pop(role, None)
    (memory.resumed.add if event.session else memory.resumed.discard)(role)
    memory.inspected = event.head or None if role == "review" else None
    if role == "implement":
        _wrote(memory)
        memory.under_way, memory.checking, memory.setting_up = event, None, None


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
    begun = memory.begun.get(event.role)
    if begun is not None and begun.attempt == event.attempt and event.ending != "stopped":
        memory.ended[event.role] = event


def _retry_decided(memory: WorkPackageMemory, event: RetryDecided) -> None:
    if event.action is Action.PAUSE:  # whoever runs again has fixed the cause: repeats begin again
        memory.repeats.pop(event.counter, None)
    if event.repeat:
        memory.repeats[event.counter] = event.repeat
    if event.role is None:
        return
    memory.ended.pop(event.role, None)
    if event.next_agent is not None:
        memory.agent[event.role] = event.next_agent
    if event.role == "review":
        memory.inspected = None
    memory.notes[event.role] = event.note or ""
    if event.action is Action.WAIT:
        memory.granted[event.role] = event.counter


def _rework_started(memory: WorkPackageMemory, event: ReworkStarted) -> None:
    memory.cycle, memory.feedback = event.cycle, event.feedback
    memory.rejected = memory.verdict.commit if memory.verdict else None
    memory.ready = memory.verdict = memory.reviewed = memory.checking = None
    memory.ended.clear()
    kept = {key: count for key, count in memory.repeats.items() if key.startswith("review:changes_requested")}
    memory.repeats = kept
    memory.notes = {}
    memory.agent.pop("review", None)
    memory.sessions = {key: value for key, value in memory.sessions.items() if key.startswith("implement:")}


def _wp_ended(memory: WorkPackageMemory, event: WpEnded) -> None:
    memory.asked = memory.asked or event.result in {Result.BLOCKED, Result.FAILED}
    if event.result is Result.BLOCKED:  # what is there is a person's from now on
        memory.inspected = memory.checking = None
        memory.ended.clear()


def _progressed(memory: WorkPackageMemory, operation: str) -> None:
    prefix = f"host:{operation}:"
    memory.repeats = {key: count for key, count in memory.repeats.items() if not key.startswith(prefix)}
