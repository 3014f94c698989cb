"""The events of a run's journal: one frozen dataclass for each type of `schemas/event.schema.json`.

`event_codec` turns a line into one of them and back; a test holds them to the schema. Fields are in the
order in which a line has them. `LEFT_OUT` marks a field that a line lacks where it is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal

from kitty_run.agents.model import Ending, Finding
from kitty_run.engine.shutdown import EndCode, Result
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action, FailureClass, RoleName

About = Literal["run", "wp", "either"]
Strategy = Literal["merge", "squash", "rebase"]
RetryTable = Literal["host", "agent", "review"]

LEFT_OUT = {"left_out": True}
"""Metadata of a field that is None where the line lacks it."""


class Payload:
    """What an event says, besides when it was written."""

    __slots__ = ()
    TYPE: ClassVar[str] = ""
    ABOUT: ClassVar[About]
    """Whether a line of this type names a work package."""
    wp: str | None
    """The work package that it is about; None for the whole run."""


@dataclass(frozen=True, slots=True)
class OfWorkPackage(Payload):
    """An event that is always about one work package."""

    ABOUT: ClassVar[About] = "wp"
    wp: str


class OfRun(Payload):
    """An event that is always about the whole run."""

    __slots__ = ()
    ABOUT: ClassVar[About] = "run"
    wp = None


@dataclass(frozen=True, slots=True)
class OfEither(Payload):
    """An event about one work package, or about the whole run."""

    ABOUT: ClassVar[About] = "either"
    wp: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Unknown(OfEither):
    """An event of a type that this version doesn't know; readers pass it over."""

    type: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FoundWorkPackage:
    """A work package as it was when the session began."""

    lane: Lane
    dependencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunStarted(OfRun):
    """A run begins: the first session of its journal."""

    TYPE: ClassVar[str] = "run.started"
    mission: str
    profile: str
    digest: str
    dialect: str
    contract: str
    topology: str
    pid: int
    machine: str
    work_packages: Mapping[str, FoundWorkPackage]


@dataclass(frozen=True, slots=True)
class RunResumed(RunStarted):
    """A later session continues the run."""

    TYPE: ClassVar[str] = "run.resumed"


@dataclass(frozen=True, slots=True)
class RunEnded(OfRun):
    """The session ended."""

    TYPE: ClassVar[str] = "run.ended"
    exit_status: int
    reason: str
    seconds: float
    cost_usd: float | None = None
    known_cost_usd: float = 0.0
    unknown_costs: int = 0
    left: Mapping[str, Lane] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallStarted(OfEither):
    """A changing call to the host is about to be made."""

    TYPE: ClassVar[str] = "call.started"
    operation: str


@dataclass(frozen=True, slots=True)
class CallEnded(OfEither):
    """A call to the host returned; `code` is its error code."""

    TYPE: ClassVar[str] = "call.ended"
    operation: str
    code: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class WpMoved(OfWorkPackage):
    """The work package is in another lane than before."""

    TYPE: ClassVar[str] = "wp.moved"
    lane: Lane


@dataclass(frozen=True, slots=True)
class WorkspaceAllocated(OfWorkPackage):
    """The work package has a workspace; its own work is measured from `base`."""

    TYPE: ClassVar[str] = "workspace.allocated"
    base: str
    path: Path
    branch: str | None


@dataclass(frozen=True, slots=True)
class WorkspaceAwaited(OfWorkPackage):
    """The work package waits until `holder`, of the same workspace, is approved."""

    TYPE: ClassVar[str] = "workspace.awaited"
    holder: str
    claimed: bool


@dataclass(frozen=True, slots=True)
class WorkspaceRepaired(OfWorkPackage):
    """The workspace was not whole, and is whole again; `ref` and `commit` keep what was taken away."""

    TYPE: ClassVar[str] = "workspace.repaired"
    path: Path
    why: str
    restored: int
    files: tuple[str, ...]
    removed: bool
    ref: str | None
    commit: str | None


@dataclass(frozen=True, slots=True)
class WorkSaved(OfWorkPackage):
    """What lay uncommitted in the workspace was committed, where it was anything."""

    TYPE: ClassVar[str] = "work.saved"
    commit: str | None
    why: str


@dataclass(frozen=True, slots=True)
class WorkCommitted(OfWorkPackage):
    """What an attempt changed was committed."""

    TYPE: ClassVar[str] = "work.committed"
    commit: str
    role: RoleName
    agent: str


@dataclass(frozen=True, slots=True)
class WorkLeft(OfWorkPackage):
    """What a failed implementing attempt left in the workspace."""

    TYPE: ClassVar[str] = "work.left"
    agent: str
    attempt: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class CheckRecord:
    """How a check ended."""

    name: str
    passed: bool
    ending: Ending
    status: int | None
    seconds: float
    log: Path


@dataclass(frozen=True)
class CheckEnded(CheckRecord, OfWorkPackage):
    """A check ended."""

    TYPE: ClassVar[str] = "check.ended"


@dataclass(frozen=True, slots=True)
class WorkReady(OfWorkPackage):
    """The work passed the output gate and the checks."""

    TYPE: ClassVar[str] = "work.ready"
    commit: str
    checks: tuple[CheckRecord, ...]


@dataclass(frozen=True, slots=True)
class AttemptStarted(OfWorkPackage):
    """An agent is about to start."""

    TYPE: ClassVar[str] = "attempt.started"
    role: RoleName
    agent: str
    family: str
    attempt: int
    cycle: int
    argv: tuple[str, ...]
    log: Path
    prompt: Path
    session: str | None = None
    head: str | None = field(default=None, metadata=LEFT_OUT)
    marker: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class AttemptProcess(OfWorkPackage):
    """The process of an attempt or of a check."""

    TYPE: ClassVar[str] = "attempt.process"
    marker: str
    pid: int
    created: float


@dataclass(frozen=True, slots=True)
class ProcessEnded(OfEither):
    """The process ended, with everything that it started."""

    TYPE: ClassVar[str] = "process.ended"
    marker: str


@dataclass(frozen=True, slots=True)
class AttemptEnded(OfWorkPackage):
    """An attempt ended; `failure` is None where it is good."""

    TYPE: ClassVar[str] = "attempt.ended"
    role: RoleName
    agent: str
    attempt: int
    failure: FailureClass | None
    rule: str
    ending: Ending
    status: int | None
    signal: int | None
    seconds: float
    log: Path
    session: str | None
    cost_usd: float | None
    input_tokens: int | None
    output_tokens: int | None
    resets_at: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptInterrupted(OfWorkPackage):
    """The attempt was cut off by the end of the run."""

    TYPE: ClassVar[str] = "attempt.interrupted"
    role: RoleName
    attempt: int


@dataclass(frozen=True, slots=True)
class SessionDropped(OfWorkPackage):
    """The agent's conversation is not continued by its next attempt."""

    TYPE: ClassVar[str] = "session.dropped"
    role: RoleName
    agent: str
    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class VerdictGiven(OfWorkPackage):
    """A review came to a verdict on `commit`."""

    TYPE: ClassVar[str] = "verdict.given"
    verdict: Literal["approved", "changes_requested"]
    summary: str
    findings: tuple[Finding, ...]
    commit: str
    agent: str
    independent: bool | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class ReviewDiscarded(OfWorkPackage):
    """The reviewer changed files; its changes were discarded."""

    TYPE: ClassVar[str] = "review.discarded"
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewOutdated(OfWorkPackage):
    """The branch moved after the review, before its approval."""

    TYPE: ClassVar[str] = "review.outdated"
    reviewed: str
    commit: str


@dataclass(frozen=True, slots=True)
class HeadFound(OfWorkPackage):
    """A work package was approved outside of this run; `commit` counts as reviewed."""

    TYPE: ClassVar[str] = "head.found"
    commit: str
    lane: str


@dataclass(frozen=True, slots=True)
class BranchPutBack(OfWorkPackage):
    """A branch held other commits than the reviewed ones, and was reset to `commit`."""

    TYPE: ClassVar[str] = "branch.put_back"
    branch: str
    commit: str
    kept: str
    foreign: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReworkStarted(OfWorkPackage):
    """A round of rework begins."""

    TYPE: ClassVar[str] = "rework.started"
    cycle: int
    feedback: str


@dataclass(frozen=True, slots=True)
class RetryDecided(OfWorkPackage):
    """What the retry table says about a failure."""

    TYPE: ClassVar[str] = "retry.decided"
    table: RetryTable
    key: str
    counter: str
    action: Action
    wait: float
    repeat: int
    reason: str
    role: RoleName | None = field(default=None, metadata=LEFT_OUT)
    note: str | None = field(default=None, metadata=LEFT_OUT)
    next_agent: int | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class FamilyLimited(OfWorkPackage):
    """An agent family is limited until a time."""

    TYPE: ClassVar[str] = "family.limited"
    family: str
    until: datetime
    failure: FailureClass
    reason: str


@dataclass(frozen=True, slots=True)
class FamilyAwaited(OfWorkPackage):
    """The work package waits for a limited family."""

    TYPE: ClassVar[str] = "family.awaited"
    family: str
    role: RoleName
    until: datetime


@dataclass(frozen=True, slots=True)
class GateWaiting(OfEither):
    """A gate needs an answer."""

    TYPE: ClassVar[str] = "gate.waiting"
    gate: str


@dataclass(frozen=True, slots=True)
class GateAnswered(OfEither):
    """A gate has its answer; `history` is the work package whose history gets a note of it."""

    TYPE: ClassVar[str] = "gate.answered"
    gate: str
    approved: bool
    by: str
    note: str
    given: str = ""
    history: str | None = None


@dataclass(frozen=True, slots=True)
class LimitReached(OfEither):
    """A limit of the profile was reached."""

    TYPE: ClassVar[str] = "limit.reached"
    limit: str
    used: float
    allowed: float
    cost_usd: float | None
    known_cost_usd: float
    unknown_costs: int


@dataclass(frozen=True, slots=True)
class WpEnded(OfWorkPackage):
    """The work package is finished in this session."""

    TYPE: ClassVar[str] = "wp.ended"
    result: Result
    code: EndCode | None = field(default=None, metadata=LEFT_OUT)
    reason: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class MissionAccepted(OfRun):
    """The host accepted the mission."""

    TYPE: ClassVar[str] = "mission.accepted"


@dataclass(frozen=True, slots=True)
class MergeStarted(OfRun):
    """The merge begins; afterwards the target must contain each of `heads`."""

    TYPE: ClassVar[str] = "merge.started"
    heads: Mapping[str, str]
    target: str | None
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class MergeVerified(OfRun):
    """Git shows that the target contains the work."""

    TYPE: ClassVar[str] = "merge.verified"
    target: str
    commit: str | None
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class StatusCommitted(OfRun):
    """The host's own status files were committed."""

    TYPE: ClassVar[str] = "status.committed"
    commit: str


@dataclass(frozen=True, slots=True)
class ErrorUnexpected(OfWorkPackage):
    """An error that the runner did not expect: a bug."""

    TYPE: ClassVar[str] = "error.unexpected"
    error: str
    traceback: str


@dataclass(frozen=True, slots=True)
class GitRestored(OfRun):
    """What git obeys in the repository was changed while agents worked, and was put back."""

    TYPE: ClassVar[str] = "git.restored"
    changed: tuple[str, ...]
    during: tuple[str, ...]
    kept: str | None


@dataclass(frozen=True, slots=True)
class Notice(OfEither):
    """Something that people should know and that changes no decision."""

    TYPE: ClassVar[str] = "notice"
    text: str


def _types(of: type[Payload]) -> list[type[Payload]]:
    return [found for kind in of.__subclasses__() for found in (kind, *_types(kind))]


EVENTS: Mapping[str, type[Payload]] = {kind.TYPE: kind for kind in _types(Payload) if kind.TYPE}
"""Every type by its name in the journal."""
