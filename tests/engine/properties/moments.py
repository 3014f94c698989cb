"""The interesting moments of a run, at which somebody interferes or the runner is killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptStarted,
    BranchPutBack,
    CallEnded,
    CallStarted,
    Event,
    FamilyLimited,
    GateWaiting,
    MergeStarted,
    MissionAccepted,
    RetryDecided,
    ReworkStarted,
    VerdictGiven,
    WorkCommitted,
    WorkReady,
    WorkspaceAllocated,
    WpMoved,
)
from kitty_run.host.model import Lane

Test = Callable[[Event], bool]
ANY = "any event"
BETWEEN = "between two sessions"
"""No event: the runner is not there."""


def _attempt(role: str) -> Test:
    return lambda event: isinstance(event, AttemptStarted) and event.role == role


def _of(*kinds: type[Event]) -> Test:
    return lambda event: isinstance(event, kinds)


def _called(*operations: str) -> Test:
    return lambda event: isinstance(event, CallStarted) and event.operation in operations


def _answered(*operations: str) -> Test:
    return lambda event: isinstance(event, CallEnded) and event.operation in operations


def _moved(*lanes: Lane) -> Test:
    return lambda event: isinstance(event, WpMoved) and event.lane in lanes


MOMENTS: Mapping[str, Test] = {
    ANY: lambda _: True,
    "a claim is about to be made": _called("claim"),
    "a claim was answered": _answered("claim"),
    "a workspace is allocated": _of(WorkspaceAllocated),
    "an implementer is at work": _attempt("implement"),
    "an attempt has ended": _of(AttemptEnded),
    "work is committed": _of(WorkCommitted),
    "work is ready": _of(WorkReady),
    "work is about to be handed in": _called("hand_in"),
    "work was handed in": _answered("hand_in"),
    "a reviewer is at work": _attempt("review"),
    "a verdict was given": _of(VerdictGiven),
    "an approval is about to be made": _called("approve", "confirm"),
    "an approval was answered": _answered("approve", "confirm"),
    "a work package is approved": _moved(Lane.APPROVED, Lane.DONE),
    "a rework begins": _of(ReworkStarted),
    "a retry was decided": _of(RetryDecided),
    "a family is limited": _of(FamilyLimited),
    "a gate waits": _of(GateWaiting),
    "the mission is about to be accepted": _called("accept"),
    "the mission is accepted": _of(MissionAccepted),
    "a branch was put back": _of(BranchPutBack),
    "the merge begins": _of(MergeStarted),
    "the merge was answered": _answered("merge"),
    BETWEEN: lambda _: False,
}


@dataclass(frozen=True)
class Moment:
    """The `nth` time (from 1) that an event of that name comes."""

    name: str
    nth: int


class Moments:
    """Counts moments as events come."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(MOMENTS, 0)

    def see(self, event: Event) -> frozenset[Moment]:
        """The moments that `event` is."""
        now = [name for name, test in MOMENTS.items() if test(event)]
        for name in now:
            self._counts[name] += 1
        return frozenset(Moment(name, self._counts[name]) for name in now)
