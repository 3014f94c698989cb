"""A lane that moved without the runner: what to make of it. Pure.

A host's reply to a state call names no one who can be believed: any process of this user can call the host,
under any name (spec-kitty 1.0 names an actor, 3.x none). So what counts is when a lane moved: while an own
attempt was at work, the agent may have done it, and nobody has reviewed anything. Before that, or where
others hold the work package, it is a person's word, and respected.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kitty_run.host.model import Lane


@dataclass(frozen=True, slots=True)
class ForeignMove:
    """A work package that somebody else moved from the lane `was` to `lane`, during own `attempts`.

    `approval`: the move says that the work is good, which nobody has looked at: it is reviewed all the same.
    """

    was: Lane
    lane: Lane
    attempts: tuple[str, ...]
    approval: bool


_TARGETS: Mapping[str, frozenset[Lane]] = {
    "reserve": frozenset({Lane.CLAIMED}),
    "claim": frozenset({Lane.CLAIMED, Lane.IN_PROGRESS}),
    "hand_in": frozenset({Lane.FOR_REVIEW}),
    "claim_review": frozenset({Lane.IN_REVIEW}),
    "approve": frozenset({Lane.APPROVED, Lane.DONE}),
    "confirm": frozenset({Lane.DONE}),
    "reject": frozenset({Lane.IN_PROGRESS, Lane.CLAIMED, Lane.PLANNED}),
    "block": frozenset({Lane.BLOCKED}),
}
"""The lanes that an own call may have led to whose reply was lost."""


@dataclass(frozen=True, slots=True)
class OwnPart:
    """What the run itself did since the lanes were read last.

    `attempts` are the work packages of which an attempt was at work. `claimed`: this run has claimed the work
    package in question. `call` is the operation of its latest call of which no success is known.
    """

    attempts: Collection[str]
    claimed: bool
    call: str | None


def judge(was: Lane | None, now: Lane, own: OwnPart, approving: Collection[Lane]) -> ForeignMove | None:
    """What to make of a work package that was in the lane `was` and is found in `now`; None: nothing.

    `approving` are the lanes that let its dependents start.
    """
    if was is None or now is was or not own.attempts or now in _TARGETS.get(own.call or "", ()):
        return None
    ours = own.claimed or was is Lane.PLANNED
    return ForeignMove(was, now, tuple(sorted(own.attempts)), ours and was.in_motion and now in approving)
