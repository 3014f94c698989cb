"""What follows failures right after the start: waits that grow, at last for the whole agent family."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kitty_run.engine.decisions.retry import Decision, delay
from kitty_run.profile.model import Action, FastFailures

WAITS = frozenset({Action.RETRY, Action.WAIT, Action.REFRESH, Action.REWORK})
"""What the same agent may start after: another one has not failed yet."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`in_a_row` counts the fast failures of a family up to this one; 0: it was none.

    `wait` is how many seconds the next attempt must wait, `opens` whether those of the whole family must.
    """

    in_a_row: int = 0
    wait: float = 0.0
    opens: bool = False

    def applied(self, decision: Decision) -> Decision:
        """`decision`, which waits no shorter than this."""
        if decision.action not in WAITS:
            return decision
        return replace(decision, wait=max(decision.wait, self.wait))


NO_PACE = Pace()
"""After whatever was no fast failure."""


def pace(rule: FastFailures | None, before: int, seconds: float | None) -> Pace:
    """After a failure `seconds` after the start of the attempt, of a family with `before` fast ones in a row.

    `seconds` None: no attempt was made.
    """
    if rule is None or seconds is None or seconds >= rule.within:
        return Pace(0 if seconds is not None else before)
    return Pace(before + 1, delay(rule.backoff, before, 0.0), before + 1 >= rule.opens)
