"""The retry tables as one pure function: a row and how often it was used, to what happens now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from kitty_run.engine.state.events import RetryDecided, RetryTable
from kitty_run.profile.model import Action, Backoff, RetryRow
from kitty_run.profile.retry_verbs import verb

_LAST_RESORT = RetryRow(Action.BLOCK)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do after a failure.

    `wait` is seconds before doing it. `repeat` counts from 1 for repeating actions and is 0 for the
    others. `exhausted` says that the row's repeats (or the role's agents) were used up.
    """

    action: Action
    wait: float = 0.0
    repeat: int = 0
    exhausted: bool = False


def row_for(table: Mapping[str, RetryRow], key: str) -> RetryRow:
    """The row of `key`, else the table's `default`, else one that blocks."""
    return table.get(key) or table.get("default") or _LAST_RESORT


def decide_call(table: Mapping[str, RetryRow], code: str, repeats: int, random: Random) -> Decision:
    """Decide by `table` on a host call that was refused with `code`, and repeated for it so often already."""
    return decide(row_for(table, code), repeats, spread=random.uniform(-1, 1))


def agent_counter(table: str, key: str, role: str, agent: str) -> str:
    """What the repeats of an agent's failure are counted by, within one work package."""
    return f"{table}:{key}:{role}:{agent}"


def decided(  # noqa: PLR0913, PLR0917 - what is written of a decision
    wp: str, table: RetryTable, key: str, counter: str, decision: Decision, reason: str
) -> RetryDecided:
    """`decision` by the row `key` of `table` for `wp`, as it is written into the journal."""
    return RetryDecided(
        wp,
        table=table,
        key=key,
        counter=counter,
        action=decision.action,
        wait=round(decision.wait, 3),
        repeat=decision.repeat,
        reason=reason,
    )


def decide(
    row: RetryRow,
    repeats: int,
    *,
    spread: float = 0.0,
    until_reset: float | None = None,
    fallback_left: bool = False,
) -> Decision:
    """Decide by `row` after it has been repeated `repeats` times already.

    `spread` in [-1, 1] is the random share of the backoff's jitter. `until_reset` is how many seconds
    are left until the limit ends that the failure named; `wait` waits at least so long. One that is over
    already says nothing: the backoff counts, so that repeats are not used up within a moment.
    `fallback_left` says whether the role has a further agent; without one, a fallback becomes what
    `then` says, and at last a block.
    """
    repeating = verb(row.do).repeats
    if repeating and repeats < row.attempts:
        wait = delay(row.backoff, repeats, spread)
        if row.do is Action.WAIT and until_reset is not None and until_reset > 0:
            wait = until_reset + wait * row.backoff.jitter
        return Decision(row.do, wait, repeats + 1)
    exhausted = repeating
    action = row.then if exhausted else row.do
    if action is Action.FALLBACK and not fallback_left:
        exhausted = True
        action = row.then if row.then is not Action.FALLBACK else Action.BLOCK
    if verb(action).repeats:  # `then` can't start another round of repeats: nothing would end it
        action = Action.BLOCK
    return Decision(action, exhausted=exhausted)


def delay(backoff: Backoff, repeats: int, spread: float) -> float:
    """Seconds to wait before repeat number `repeats` (from 0): exponential, capped, spread by jitter."""
    ceiling = float("inf") if backoff.max is None else backoff.max
    try:
        wait = min(backoff.initial * backoff.factor**repeats, ceiling)
    except OverflowError:
        wait = ceiling
    return max(wait * (1.0 + backoff.jitter * spread), 0.0)
