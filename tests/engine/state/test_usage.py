"""The ledger: what attempts used, from events that may lack, and clocks that may lie."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kitty_run.engine.state.journal import Event
from kitty_run.engine.state.usage import NO_COST, Cost, Ledger

from tests.engine.world import START


def event(type_: str, second: float, **data: object) -> Event:
    wp = "WP01" if type_.startswith("attempt") else None
    return Event(type_, START + timedelta(seconds=second), wp, data)


def ledger(*events: Event) -> Ledger:
    found = Ledger()
    for one in events:
        found.take(one)
    return found


BEGUN = (event("run.started", 0), event("attempt.started", 10, role="implement", attempt=1))
ENDED = {"role": "implement", "attempt": 1, "agent": "ada", "seconds": 5.0}


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (NO_COST, "0.00 USD"),
        (Cost(1.2, 2, 0), "1.20 USD"),
        (Cost(1.2, 2, 1), "at least 1.20 USD, 1 attempt unknown"),
        (Cost(0.0, 1, 3), "at least 0.00 USD, 3 attempts unknown"),
        (Cost(0.0, 0, 3), "unknown"),
    ],
    ids=str,
)
def test_a_cost_in_words(cost: Cost, text: str) -> None:
    assert str(cost) == text


@pytest.mark.parametrize("told", [None, "1"], ids=str)
def test_what_is_no_amount_is_unknown(told: object) -> None:
    assert NO_COST.plus(told) == Cost(0.0, 0, 1)


def test_an_attempt_that_tells_half_of_its_tokens_is_counted_and_unknown() -> None:
    used = ledger(*BEGUN, event("attempt.ended", 15, **ENDED, cost_usd=1, input_tokens=7, output_tokens=None))
    assert (used.run.tokens, used.run.unknown_tokens, used.run.seconds) == (7, 1, 5.0)
    assert used.of("WP01") == used.run


def test_a_session_without_an_end_counts_until_its_last_event() -> None:
    used = ledger(*BEGUN, event("notice", 40), event("run.resumed", 5000))
    assert (used.seconds, used.run.seconds, str(used.run.cost)) == (40.0, 30.0, "unknown")
    used.take(event("run.ended", 5007, seconds=7.0))
    used.close()
    assert used.seconds == 47.0


def test_a_clock_that_was_set_back_takes_no_time_away() -> None:
    used = ledger(*BEGUN, event("notice", -500), event("run.resumed", -400))
    assert (used.seconds, used.run.seconds) == (0.0, 0.0)


def test_an_attempt_under_way_costs_nobody_knows_what_so_far() -> None:
    used = ledger(*BEGUN)
    assert str(used.so_far().cost) == str(used.so_far("WP01").cost) == "unknown"
    assert used.so_far("WP02").cost == used.run.cost == NO_COST
    used.take(event("attempt.ended", 15, **ENDED, cost_usd=1.0, input_tokens=1, output_tokens=1))
    assert str(used.so_far().cost) == "1.00 USD"
