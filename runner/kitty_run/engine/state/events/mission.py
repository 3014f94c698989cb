"""Events about a mission's end: acceptance and merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from kitty_run.engine.state.events.base import RunEvent, WorkPackageEvent

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
