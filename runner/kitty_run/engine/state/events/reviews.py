"""Events about reviews: verdicts, rework, and whether a branch is at what was reviewed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from kitty_run.agents.model import CriterionResult, Finding
from kitty_run.engine.state.events.base import LEFT_OUT, WorkPackageEvent


@dataclass(frozen=True, slots=True)
class VerdictGiven(WorkPackageEvent):
    """A review came to a verdict on `commit`."""

    TYPE: ClassVar[str] = "verdict.given"
    verdict: Literal["approved", "changes_requested"]
    summary: str
    findings: tuple[Finding, ...]
    commit: str
    agent: str
    independent: bool | None = field(default=None, metadata=LEFT_OUT)
    criteria: tuple[CriterionResult, ...] | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class ReviewDiscarded(WorkPackageEvent):
    """The workspace is as it was before the review: the reviewer's changes, if any, were discarded."""

    TYPE: ClassVar[str] = "review.discarded"
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewOutdated(WorkPackageEvent):
    """The branch moved after the review, before its approval."""

    TYPE: ClassVar[str] = "review.outdated"
    reviewed: str
    commit: str


@dataclass(frozen=True, slots=True)
class HeadFound(WorkPackageEvent):
    """A work package was approved outside of this run; `commit` counts as reviewed.

    `by` is who did it, where the host names anyone.
    """

    TYPE: ClassVar[str] = "head.found"
    commit: str
    lane: str
    by: str | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class BranchPutBack(WorkPackageEvent):
    """A branch held other commits than the reviewed ones, and was reset to `commit`."""

    TYPE: ClassVar[str] = "branch.put_back"
    branch: str
    commit: str
    kept: str
    foreign: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReworkStarted(WorkPackageEvent):
    """A round of rework begins."""

    TYPE: ClassVar[str] = "rework.started"
    cycle: int
    feedback: str
