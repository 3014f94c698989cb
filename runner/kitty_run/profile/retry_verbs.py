"""The retry verbs: one row for each `Action`, with what it means and how it reads everywhere.

A verb without a row doesn't type-check. What a verb does in the engine is matched where it is done
(`engine/lifecycle/`), and such a match ends in `assert_never`, so that a forgotten verb doesn't either.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from kitty_run.profile.model import Action


class Again(StrEnum):
    """What a repeating verb does once more."""

    STEP = "step"
    """The step or call that failed."""
    STATE = "state"
    """Reading the mission; what follows is decided from its lanes."""
    WORK = "work"
    """The implementation."""


class Ends(StrEnum):
    """What a terminal verb ends in this run."""

    WORK_PACKAGE = "work package"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Verb:
    """One row.

    `again`: what is repeated, up to `attempts` times; None for verbs that don't repeat.
    `ends`: what ends by it; None for verbs that aren't terminal.
    `heeds_limits`: a limit of the agent's family holds for all work packages, none finds out for itself.
    `doc` is the text of docs/profile.md, `schema` that of the profile's schema, `forecast` that of
    `kitty-run explain --retry`, `live` that of the live view, with `{wait}` for the time until then.
    """

    doc: str
    schema: str
    forecast: str
    live: str
    again: Again | None = None
    ends: Ends | None = None
    heeds_limits: bool = False

    @property
    def repeats(self) -> bool:
        """Whether a row with this verb is repeated up to `attempts` times before `then` follows."""
        return self.again is not None


_RETRY = Verb(
    doc="the same step again, after the backoff",
    schema="the same step after the backoff",
    forecast="try again",
    live="once more{wait}",
    again=Again.STEP,
)
_WAIT = Verb(
    doc="the same, but for every work package of that agent family at once, and until the time that the "
    "failure names",
    schema="the same, for every work package of that agent family at once, and until `resets_at` where the "
    "failure names it",
    forecast="try again; until then no work package of that agent family starts",
    live="waits{wait}",
    again=Again.STEP,
    heeds_limits=True,
)
_REFRESH = Verb(
    doc="the mission is read again, and it is decided anew",
    schema="reads the mission again and decides anew",
    forecast="read the mission again and decide anew",
    live="the mission is read again{wait}",
    again=Again.STATE,
)
_FALLBACK = Verb(
    doc="the role's next agent; where there is none, what `then` says. A limit is found out once: others "
    "turn to their next agent without an attempt",
    schema="takes the role's next agent",
    forecast="take the role's next agent, or block where there is none",
    live="the next agent takes over",
    heeds_limits=True,
)
_REWORK = Verb(
    doc="the feedback goes back to the implementer",
    schema="hands the feedback back to the implementer",
    forecast="hand the feedback back to the implementer",
    live="back to the implementer",
    again=Again.WORK,
)
_SKIP = Verb(
    doc="the work package is left to whoever holds it",
    schema="leaves the work package to whoever holds it",
    forecast="leave the work package to whoever holds it",
    live="left to whoever holds it",
    ends=Ends.WORK_PACKAGE,
)
_PAUSE = Verb(
    doc="it stays in its lane, nothing is blocked and no repeat stays counted; the run ends with exit status "
    "4 and says what to fix, and the same command continues",
    schema="leaves it in its lane, says what to fix and ends the run with exit status 4 once nothing else "
    "can continue; the same command continues",
    forecast="leave the work package in its lane, and end with exit status 4: fix the cause, then the same "
    "command continues",
    live="paused",
    ends=Ends.WORK_PACKAGE,
)
_BLOCK = Verb(
    doc="it moves to the lane `blocked`, with the reason",
    schema="moves it to the lane `blocked` with the reason",
    forecast="move the work package to the lane `blocked`, with the reason",
    live="no further try",
    ends=Ends.WORK_PACKAGE,
)
_ABORT = Verb(
    doc="the run ends",
    schema="ends the run",
    forecast="end the run",
    live="the run ends",
    ends=Ends.RUN,
)


def verb(action: Action) -> Verb:  # noqa: C901, PLR0911 - a table
    """The row of `action`."""
    match action:
        case Action.RETRY:
            return _RETRY
        case Action.WAIT:
            return _WAIT
        case Action.REFRESH:
            return _REFRESH
        case Action.FALLBACK:
            return _FALLBACK
        case Action.REWORK:
            return _REWORK
        case Action.SKIP:
            return _SKIP
        case Action.PAUSE:
            return _PAUSE
        case Action.BLOCK:
            return _BLOCK
        case Action.ABORT:
            return _ABORT
        case unreachable:
            assert_never(unreachable)
