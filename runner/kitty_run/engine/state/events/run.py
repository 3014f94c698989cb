"""Events about a run and its sessions, and about what may concern one work package or the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from kitty_run.engine.state.events.base import LEFT_OUT, EitherEvent, RunEvent
from kitty_run.host.model import Lane


@dataclass(frozen=True, slots=True)
class FoundWorkPackage:
    """A work package as it was when the session began."""

    lane: Lane
    dependencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunStarted(RunEvent):
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
    process: str | None = field(default=None, metadata=LEFT_OUT)
    """What the process is known by beside `pid`."""


@dataclass(frozen=True, slots=True)
class RunResumed(RunStarted):
    """A later session continues the run."""

    TYPE: ClassVar[str] = "run.resumed"


@dataclass(frozen=True, slots=True)
class RunEnded(RunEvent):
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
class CallStarted(EitherEvent):
    """A changing call to the host is about to be made."""

    TYPE: ClassVar[str] = "call.started"
    operation: str


@dataclass(frozen=True, slots=True)
class CallEnded(EitherEvent):
    """A call to the host returned; `code` is its error code."""

    TYPE: ClassVar[str] = "call.ended"
    operation: str
    code: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class ProcessEnded(EitherEvent):
    """The process ended, with everything that it started."""

    TYPE: ClassVar[str] = "process.ended"
    marker: str


@dataclass(frozen=True, slots=True)
class GateWaiting(EitherEvent):
    """A gate needs an answer."""

    TYPE: ClassVar[str] = "gate.waiting"
    gate: str


@dataclass(frozen=True, slots=True)
class GateAnswered(EitherEvent):
    """A gate has its answer; `history` is the work package whose history gets a note of it."""

    TYPE: ClassVar[str] = "gate.answered"
    gate: str
    approved: bool
    by: str
    note: str
    given: str = ""
    history: str | None = None


@dataclass(frozen=True, slots=True)
class GitRestored(RunEvent):
    """What git obeys in the repository was changed while agents worked, and was put back."""

    TYPE: ClassVar[str] = "git.restored"
    changed: tuple[str, ...]
    during: tuple[str, ...]
    kept: str | None


@dataclass(frozen=True, slots=True)
class LimitReached(EitherEvent):
    """A limit of the profile was reached."""

    TYPE: ClassVar[str] = "limit.reached"
    limit: str
    used: float
    allowed: float
    cost_usd: float | None
    known_cost_usd: float
    unknown_costs: int


@dataclass(frozen=True, slots=True)
class Notice(EitherEvent):
    """Something that people should know and that changes no decision."""

    TYPE: ClassVar[str] = "notice"
    text: str
