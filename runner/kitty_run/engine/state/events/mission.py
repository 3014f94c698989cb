"""Events about a mission's end: acceptance and merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from kitty_run.engine.state.events.base import LEFT_OUT, RunEvent, WorkPackageEvent

Strategy = Literal["merge", "squash", "rebase"]


@dataclass(frozen=True, slots=True)
class CriterionSettled(RunEvent):
    """The host got the result of an acceptance criterion, and the evidence."""

    TYPE: ClassVar[str] = "criterion.settled"
    criterion: str
    result: Literal["pass", "fail"]
    evidence: str


@dataclass(frozen=True, slots=True)
class MissionAccepted(RunEvent):
    """The host accepted the mission."""

    TYPE: ClassVar[str] = "mission.accepted"


@dataclass(frozen=True, slots=True)
class AcceptancePutOff(RunEvent):
    """The host crashed at accept, as it is known to before the merge on this topology."""

    TYPE: ClassVar[str] = "acceptance.put_off"
    reason: str


@dataclass(frozen=True, slots=True)
class MergeStarted(RunEvent):
    """The merge begins; afterwards the target must contain each of `heads`."""

    TYPE: ClassVar[str] = "merge.started"
    heads: Mapping[str, str]
    target: str | None
    strategy: Strategy
    before: str | None = field(default=None, metadata=LEFT_OUT)
    """The commit of the target before it."""


@dataclass(frozen=True, slots=True)
class MergeQuestioned(RunEvent):
    """People were asked to look at something of the merge: `commits` that nobody reviewed, `conflicts`, or
    what `canceled` work packages brought onto the target.

    `commit` is the first of them, what the target was at when conflicts were named, or all commits of the
    canceled ones, with blanks between.
    """

    TYPE: ClassVar[str] = "merge.questioned"
    about: Literal["commits", "conflicts", "canceled"]
    commit: str


@dataclass(frozen=True, slots=True)
class BranchSeen(RunEvent):
    """The target, or the mission's own branch, is at this commit: it must contain it from now on."""

    TYPE: ClassVar[str] = "branch.seen"
    branch: str
    commit: str


@dataclass(frozen=True, slots=True)
class BranchMovedBack(RunEvent):
    """A branch lacks commits that were seen on it: it was reset, rewritten or deleted by others.

    `missing` are the first of `count` such commits, `kept` is the ref that holds them.
    """

    TYPE: ClassVar[str] = "branch.moved_back"
    branch: str
    was: str
    count: int
    missing: tuple[str, ...]
    kept: str
    now: str | None = field(default=None, metadata=LEFT_OUT)


@dataclass(frozen=True, slots=True)
class MergeConflicted(WorkPackageEvent):
    """The work package's commit can't be merged with the branch `other`: nothing was merged yet."""

    TYPE: ClassVar[str] = "merge.conflicted"
    commit: str
    other: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergeVerified(RunEvent):
    """Git shows that the target contains the work."""

    TYPE: ClassVar[str] = "merge.verified"
    target: str
    commit: str | None
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class StatusCommitted(RunEvent):
    """The host's own status files were committed."""

    TYPE: ClassVar[str] = "status.committed"
    commit: str
