"""Events about attempts: their processes and ends, and what follows from a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal

from kitty_run.agents.model import Ending, ModelUsage, Verdict
from kitty_run.engine.state.events.base import LEFT_OUT, WorkPackageEvent
from kitty_run.profile.model import Action, FailureClass, RoleName

RetryTable = Literal["host", "agent", "review"]
CostSource = Literal["agent", "prices"]


@dataclass(frozen=True, slots=True)
class AttemptStarted(WorkPackageEvent):
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
    tree: str | None = field(default=None, metadata=LEFT_OUT)
    trust: Mapping[str, str] | None = field(default=None, metadata=LEFT_OUT)
    """The degree by axis in which the agent's policy is held (`profile.trust.degree`)."""
    marker: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class AttemptProcess(WorkPackageEvent):
    """The process of an attempt or of a check."""

    TYPE: ClassVar[str] = "attempt.process"
    marker: str
    pid: int
    created: float
    process: str | None = field(default=None, metadata=LEFT_OUT)
    """What it is known by beside `pid`."""


@dataclass(frozen=True, slots=True)
class EgressDenied(WorkPackageEvent):
    """A connection out of the sandbox was refused; once for each attempt or check, host, port and reason."""

    TYPE: ClassVar[str] = "egress.denied"
    marker: str
    host: str
    port: int
    reason: Literal["unlisted", "address"]


@dataclass(frozen=True, slots=True)
class AttemptEnded(WorkPackageEvent):
    """An attempt ended; `failure` is None where it is good.

    It has all that what follows is decided by, so that a run that is cut off here needs no second attempt.
    """

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
    cached_tokens: int | None = field(default=None, metadata=LEFT_OUT)
    models: tuple[ModelUsage, ...] | None = field(default=None, metadata=LEFT_OUT)
    """Tokens of each model, where they are known."""
    cost_source: CostSource | None = field(default=None, metadata=LEFT_OUT)
    """Who says what it cost: the agent, or the table of prices."""
    undone: tuple[str, ...] | None = field(default=None, metadata=LEFT_OUT)
    verdict: Verdict | None = field(default=None, metadata=LEFT_OUT)
    no_verdict: str | None = field(default=None, metadata=LEFT_OUT)
    left_out: int | None = field(default=None, metadata=LEFT_OUT)
    """Bytes of its output that are in none of its logs; None: they have all."""


@dataclass(frozen=True, slots=True)
class AttemptInterrupted(WorkPackageEvent):
    """The attempt was cut off by the end of the run, or failed on a machine that let nobody write."""

    TYPE: ClassVar[str] = "attempt.interrupted"
    role: RoleName
    attempt: int


@dataclass(frozen=True, slots=True)
class SessionDropped(WorkPackageEvent):
    """The agent's conversation is not continued by its next attempt."""

    TYPE: ClassVar[str] = "session.dropped"
    role: RoleName
    agent: str
    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class RetryDecided(WorkPackageEvent):
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
    family: str | None = field(default=None, metadata=LEFT_OUT)
    fast_failures: int | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class FamilyLimited(WorkPackageEvent):
    """An agent family is limited until a time; by so many `fast_failures` in a row whatever its row says."""

    TYPE: ClassVar[str] = "family.limited"
    family: str
    until: datetime
    failure: FailureClass
    reason: str
    fast_failures: int | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class FamilyAwaited(WorkPackageEvent):
    """The work package waits for a limited family."""

    TYPE: ClassVar[str] = "family.awaited"
    family: str
    role: RoleName
    until: datetime
