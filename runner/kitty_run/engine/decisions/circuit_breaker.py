"""One breaker per agent family: while it is limited, no attempt of that family starts.

The breakers are a view of the memory, so that a limit outlives the runner that met it. When a limit ends,
all that waited for it may start at once: they are no more than were in flight when it came, and
`concurrency.agents` bounds them. One that went ahead to try would hold up all others for as long as its
attempt takes, since nothing shows whether an agent that works will yet meet the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from kitty_run.engine.decisions.retry import Decision, delay, row_for
from kitty_run.engine.state.run_state import Memory
from kitty_run.profile.model import Action, FailureClass, RetryRow, RetryTables
from kitty_run.profile.retry_verbs import verb

LIMITS = frozenset({FailureClass.RATE_LIMITED, FailureClass.OVERLOADED})
"""The failures that concern the whole family even where the row doesn't say `wait`."""

UNNAMED = 300.0
"""Seconds that a family is limited for where neither the failure nor the row says how long."""


@dataclass(frozen=True, slots=True)
class Limited:
    """A family's limit: until when (aware), and which failure class said so."""

    until: datetime
    failure: str


class Breakers:
    """Says of each family whether it is limited now."""

    def __init__(
        self, memory: Memory, retry: RetryTables, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._memory = memory
        self._retry = retry
        self._now = now

    def limited(self, family: str) -> Limited | None:
        """The limit that keeps `family` from starting for the longest time; None where it may start now.

        A limit counts as long as the table's row for its failure says `wait` or `fallback`: with any other
        row each work package finds out for itself. One of fast failures counts whatever the row says.
        """
        limits = self._memory.limited.get(family, {})
        now = self._now()
        binding = [
            Limited(until, failure)
            for failure, until in limits.items()
            if until > now and self._is_heeded(failure)
        ]
        if (halt := self._memory.halted.get(family)) and halt[0] > now:
            binding.append(Limited(*halt))
        return max(binding, key=lambda limit: limit.until, default=None)

    def _is_heeded(self, failure: str) -> bool:
        rows = (row_for(self._retry.agent, failure), self._retry.review.get(failure))
        return any(row is not None and verb(row.do).heeds_limits for row in rows)


def limited_for(  # noqa: PLR0913 - a decision, and what it was made of
    row: RetryRow,
    failure: FailureClass,
    decision: Decision,
    *,
    until_reset: float | None = None,
    repeats: int = 0,
    spread: float = 0.0,
) -> float:
    """Seconds that the whole family is limited for after `failure`, of which `row` decided so; 0: it is not.

    Until the reset that the failure names in `until_reset` seconds; else the row's own next wait, and
    `UNNAMED` where it has none. `repeats` and `spread` are those that the decision was made of.
    """
    if decision.action is Action.WAIT:
        return decision.wait
    concerns_all = row.do is Action.WAIT or (
        row.do is Action.FALLBACK and (failure in LIMITS or until_reset is not None)
    )
    if not concerns_all:
        return 0.0
    if until_reset is not None and until_reset > 0:
        return until_reset
    return delay(row.backoff, repeats if row.do is Action.WAIT else 0, spread) or UNNAMED
