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

from kitty_run.agents.model import Ending
from kitty_run.engine.shutdown import EndCode, Result
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action, FailureClass, RoleName

About = Literal["run", "wp", "either"]
Strategy = Literal["merge", "squash", "rebase"]

LEFT_OUT = {"left_out": True}
"""Metadata of a field that is None where the line lacks it."""


class Payload:
    """What an event says, besides when it was written and which work package it is about."""

    __slots__ = ()
    TYPE: ClassVar[str] = ""
    ABOUT: ClassVar[About] = "wp"
    """Whether a line of this type names a work package."""


@dataclass(frozen=True, slots=True)
class Unknown(Payload):
    """An event of a type that this version doesn't know; readers pass it over."""

    ABOUT: ClassVar[About] = "either"
    type: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FoundWorkPackage:
    """A work package as it was when the session began."""

    lane: Lane
    dependencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunStarted(Payload):
    """A run begins: the first session of its journal."""

    TYPE: ClassVar[str] = "run.started"
    ABOUT: ClassVar[About] = "run"
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
class RunEnded(Payload):
    """The session ended."""

    TYPE: ClassVar[str] = "run.ended"
    ABOUT: ClassVar[About] = "run"
    exit_status: int
    reason: str
    seconds: float
    cost_usd: float | None = None
    known_cost_usd: float = 0.0
    unknown_costs: int = 0
    left: Mapping[str, Lane] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallStarted(Payload):
    """A changing call to the host is about to be made."""

    TYPE: ClassVar[str] = "call.started"
    ABOUT: ClassVar[About] = "either"
    operation: str


@dataclass(frozen=True, slots=True)
class CallEnded(Payload):
    """A call to the host returned; `code` is its error code."""

    TYPE: ClassVar[str] = "call.ended"
    ABOUT: ClassVar[About] = "either"
    operation: str
    code: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class WpMoved(Payload):
    """The work package is in another lane than before."""

    TYPE: ClassVar[str] = "wp.moved"
    lane: Lane


@dataclass(frozen=True, slots=True)
class WorkspaceAllocated(Payload):
    """The work package has a workspace; its own work is measured from `base`."""

    TYPE: ClassVar[str] = "workspace.allocated"
    base: str
    path: Path
    branch: str | None


@dataclass(frozen=True, slots=True)
class WorkspaceAwaited(Payload):
    """The work package waits until `holder`, of the same workspace, is approved."""

    TYPE: ClassVar[str] = "workspace.awaited"
    holder: str
    claimed: bool


@dataclass(frozen=True, slots=True)
class WorkspaceRepaired(Payload):
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
class WorkSaved(Payload):
    """What lay uncommitted in the workspace was committed, where it was anything."""

    TYPE: ClassVar[str] = "work.saved"
    commit: str | None
    why: str


@dataclass(frozen=True, slots=True)
class WorkCommitted(Payload):
    """What an attempt changed was committed."""

    TYPE: ClassVar[str] = "work.committed"
    commit: str
    role: RoleName
    agent: str


@dataclass(frozen=True, slots=True)
class WorkLeft(Payload):
    """What a failed implementing attempt left in the workspace."""

    TYPE: ClassVar[str] = "work.left"
    agent: str
    attempt: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckEnded(Payload):
    """A check ended; `work.ready` has such records too."""

    TYPE: ClassVar[str] = "check.ended"
    name: str
    passed: bool
    ending: Ending
    status: int | None
    seconds: float
    log: Path


@dataclass(frozen=True, slots=True)
class WorkReady(Payload):
    """The work passed the output gate and the checks."""

    TYPE: ClassVar[str] = "work.ready"
    commit: str
    checks: tuple[CheckEnded, ...]


@dataclass(frozen=True, slots=True)
class AttemptStarted(Payload):
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
class AttemptProcess(Payload):
    """The process of an attempt or of a check."""

    TYPE: ClassVar[str] = "attempt.process"
    marker: str
    pid: int
    created: float


@dataclass(frozen=True, slots=True)
class ProcessEnded(Payload):
    """The process ended, with everything that it started."""

    TYPE: ClassVar[str] = "process.ended"
    ABOUT: ClassVar[About] = "either"
    marker: str


@dataclass(frozen=True, slots=True)
class AttemptEnded(Payload):
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
class AttemptInterrupted(Payload):
    """The attempt was cut off by the end of the run."""

    TYPE: ClassVar[str] = "attempt.interrupted"
    role: RoleName
    attempt: int


@dataclass(frozen=True, slots=True)
class SessionDropped(Payload):
    """The agent's conversation is not continued by its next attempt."""

    TYPE: ClassVar[str] = "session.dropped"
    role: RoleName
    agent: str
    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a review."""

    message: str
    file: str | None = None
    line: int | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class VerdictGiven(Payload):
    """A review came to a verdict on `commit`."""

    TYPE: ClassVar[str] = "verdict.given"
    verdict: Literal["approved", "changes_requested"]
    summary: str
    findings: tuple[Finding, ...]
    commit: str
    agent: str
    independent: bool | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class ReviewDiscarded(Payload):
    """The reviewer changed files; its changes were discarded."""

    TYPE: ClassVar[str] = "review.discarded"
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewOutdated(Payload):
    """The branch moved after the review, before its approval."""

    TYPE: ClassVar[str] = "review.outdated"
    reviewed: str
    commit: str


@dataclass(frozen=True, slots=True)
class HeadFound(Payload):
    """A work package was approved outside of this run; `commit` counts as reviewed."""

    TYPE: ClassVar[str] = "head.found"
    commit: str
    lane: str


@dataclass(frozen=True, slots=True)
class BranchPutBack(Payload):
    """A branch held other commits than the reviewed ones, and was reset to `commit`."""

    TYPE: ClassVar[str] = "branch.put_back"
    branch: str
    commit: str
    kept: str
    foreign: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReworkStarted(Payload):
    """A round of rework begins."""

    TYPE: ClassVar[str] = "rework.started"
    cycle: int
    feedback: str


@dataclass(frozen=True, slots=True)
class RetryDecided(Payload):
    """What the retry table says about a failure."""

    TYPE: ClassVar[str] = "retry.decided"
    table: Literal["host", "agent", "review"]
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
class FamilyLimited(Payload):
    """An agent family is limited until a time."""

    TYPE: ClassVar[str] = "family.limited"
    family: str
    until: datetime
    failure: FailureClass
    reason: str


@dataclass(frozen=True, slots=True)
class FamilyAwaited(Payload):
    """The work package waits for a limited family."""

    TYPE: ClassVar[str] = "family.awaited"
    family: str
    role: RoleName
    until: datetime


@dataclass(frozen=True, slots=True)
class GateWaiting(Payload):
    """A gate needs an answer."""

    TYPE: ClassVar[str] = "gate.waiting"
    ABOUT: ClassVar[About] = "either"
    gate: str


@dataclass(frozen=True, slots=True)
class GateAnswered(Payload):
    """A gate has its answer; `history` is the work package whose history gets a note of it."""

    TYPE: ClassVar[str] = "gate.answered"
    ABOUT: ClassVar[About] = "either"
    gate: str
    approved: bool
    by: str
    note: str
    given: str = ""
    history: str | None = None


@dataclass(frozen=True, slots=True)
class LimitReached(Payload):
    """A limit of the profile was reached."""

    TYPE: ClassVar[str] = "limit.reached"
    ABOUT: ClassVar[About] = "either"
    limit: str
    used: float
    allowed: float
    cost_usd: float | None
    known_cost_usd: float
    unknown_costs: int


@dataclass(frozen=True, slots=True)
class WpEnded(Payload):
    """The work package is finished in this session."""

    TYPE: ClassVar[str] = "wp.ended"
    result: Result
    code: EndCode | None = field(default=None, metadata=LEFT_OUT)
    reason: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class MissionAccepted(Payload):
    """The host accepted the mission."""

    TYPE: ClassVar[str] = "mission.accepted"
    ABOUT: ClassVar[About] = "run"


@dataclass(frozen=True, slots=True)
class MergeStarted(Payload):
    """The merge begins; afterwards the target must contain each of `heads`."""

    TYPE: ClassVar[str] = "merge.started"
    ABOUT: ClassVar[About] = "run"
    heads: Mapping[str, str]
    target: str | None
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class MergeVerified(Payload):
    """Git shows that the target contains the work."""

    TYPE: ClassVar[str] = "merge.verified"
    ABOUT: ClassVar[About] = "run"
    target: str
    commit: str | None
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class StatusCommitted(Payload):
    """The host's own status files were committed."""

    TYPE: ClassVar[str] = "status.committed"
    ABOUT: ClassVar[About] = "run"
    commit: str


@dataclass(frozen=True, slots=True)
class ErrorUnexpected(Payload):
    """An error that the runner did not expect: a bug."""

    TYPE: ClassVar[str] = "error.unexpected"
    error: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Notice(Payload):
    """Something that people should know and that changes no decision."""

    TYPE: ClassVar[str] = "notice"
    ABOUT: ClassVar[About] = "either"
    text: str


def _types(of: type[Payload]) -> list[type[Payload]]:
    return [found for kind in of.__subclasses__() for found in (kind, *_types(kind))]


EVENTS: Mapping[str, type[Payload]] = {kind.TYPE: kind for kind in _types(Payload) if kind.TYPE}
"""Every type by its name in the journal."""
