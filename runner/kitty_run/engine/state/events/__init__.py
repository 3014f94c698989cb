"""The events of a run's journal: one frozen dataclass for each type of `schemas/event.schema.json`.

`codec` turns a line into one of them and back; a test holds them to the schema. Fields are in the order in
which a line has them. Whoever needs an event imports it from here.
"""

from __future__ import annotations

from collections.abc import Mapping

from kitty_run.engine.state.events.attempts import (
    AttemptEnded,
    AttemptInterrupted,
    AttemptProcess,
    AttemptStarted,
    CostSource,
    EgressDenied,
    FamilyAwaited,
    FamilyLimited,
    RetryDecided,
    RetryTable,
    SessionDropped,
)
from kitty_run.engine.state.events.base import Entry, Event, Unknown
from kitty_run.engine.state.events.mission import (
    AcceptancePutOff,
    BranchMovedBack,
    BranchSeen,
    CriterionSettled,
    MergeConflicted,
    MergeQuestioned,
    MergeStarted,
    MergeVerified,
    MissionAccepted,
    StatusCommitted,
    Strategy,
)
from kitty_run.engine.state.events.reviews import (
    BranchPutBack,
    HeadFound,
    ReviewDiscarded,
    ReviewOutdated,
    ReworkStarted,
    VerdictGiven,
)
from kitty_run.engine.state.events.run import (
    CallEnded,
    CallStarted,
    FoundWorkPackage,
    GateAnswered,
    GateWaiting,
    GitRestored,
    LimitReached,
    Notice,
    ProcessEnded,
    RunEnded,
    RunResumed,
    RunStarted,
)
from kitty_run.engine.state.events.setup import SetupEnded, SetupPhase, SetupStarted, WorkspacePrepared
from kitty_run.engine.state.events.work_packages import (
    CheckEnded,
    CheckRecord,
    ChecksStarted,
    ErrorUnexpected,
    LaneMovedByOthers,
    WorkCommitted,
    WorkDelivered,
    WorkKept,
    WorkLeft,
    WorkReady,
    WorkSaved,
    WorkspaceAllocated,
    WorkspaceAwaited,
    WorkspaceRepaired,
    WpEnded,
    WpMoved,
)

__all__ = [
    "EVENTS",
    "AcceptancePutOff",
    "AttemptEnded",
    "AttemptInterrupted",
    "AttemptProcess",
    "AttemptStarted",
    "BranchMovedBack",
    "BranchPutBack",
    "BranchSeen",
    "CallEnded",
    "CallStarted",
    "CheckEnded",
    "CheckRecord",
    "ChecksStarted",
    "CostSource",
    "CriterionSettled",
    "EgressDenied",
    "Entry",
    "ErrorUnexpected",
    "Event",
    "FamilyAwaited",
    "FamilyLimited",
    "FoundWorkPackage",
    "GateAnswered",
    "GateWaiting",
    "GitRestored",
    "HeadFound",
    "LaneMovedByOthers",
    "LimitReached",
    "MergeConflicted",
    "MergeQuestioned",
    "MergeStarted",
    "MergeVerified",
    "MissionAccepted",
    "Notice",
    "ProcessEnded",
    "RetryDecided",
    "RetryTable",
    "ReviewDiscarded",
    "ReviewOutdated",
    "ReworkStarted",
    "RunEnded",
    "RunResumed",
    "RunStarted",
    "SessionDropped",
    "SetupEnded",
    "SetupPhase",
    "SetupStarted",
    "StatusCommitted",
    "Strategy",
    "Unknown",
    "VerdictGiven",
    "WorkCommitted",
    "WorkDelivered",
    "WorkKept",
    "WorkLeft",
    "WorkReady",
    "WorkSaved",
    "WorkspaceAllocated",
    "WorkspaceAwaited",
    "WorkspacePrepared",
    "WorkspaceRepaired",
    "WpEnded",
    "WpMoved",
]


def _types(of: type[Event]) -> list[type[Event]]:
    return [found for kind in of.__subclasses__() for found in (kind, *_types(kind))]


EVENTS: Mapping[str, type[Event]] = {kind.TYPE: kind for kind in _types(Event) if kind.TYPE}
"""Every type by its name in the journal."""
