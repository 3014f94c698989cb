"""The ledger: what attempts used, from events that may be missing, and clocks that may be wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from kitty_run.engine.state.events import (
    Entry,
    Event,
    Notice,
    RunEnded,
    RunResumed,
)
from kitty_run.engine.state.usage import NO_COST, Cost, Ledger

from tests.engine.state.example_events import ATTEMPT, ENDED, RUN
from tests.engine.world import START

AGAIN = RunResumed("demo", "p.yaml", "0", "feature", "1.0", "lanes", 1, "here", {})


def at(second: float, event: Event) -> Entry:
    return Entry(START + timedelta(seconds=second), event)


def ended(second: float, cost: float, read: int | None, written: int | None) -> Entry:
    return at(second, replace(ENDED, seconds=5.0, cost_usd=cost, input_tokens=read, output_tokens=written))


def ledger(*entries: Entry) -> Ledger:
    found = Ledger()
    for one in entries:
        found.take(one)
    return found


BEGUN = (at(0, RUN), at(10, ATTEMPT))


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


def test_what_is_no_amount_is_unknown() -> None:
    assert NO_COST.plus(None) == Cost(0.0, 0, 1)


def test_an_attempt_that_reports_half_of_its_tokens_is_counted_and_unknown() -> None:
    used = ledger(*BEGUN, ended(15, 1.0, 7, None))
    assert (used.run.tokens, used.run.unknown_tokens, used.run.seconds) == (7, 1, 5.0)
    assert used.of("WP01") == used.run


def test_a_session_without_an_end_counts_until_its_last_event() -> None:
    used = ledger(*BEGUN, at(40, Notice("x")), at(5000, AGAIN))
    assert (used.seconds, used.run.seconds, str(used.run.cost)) == (40.0, 30.0, "unknown")
    used.take(at(5007, RunEnded(exit_status=0, reason="", seconds=7.0)))
    used.close()
    assert used.seconds == 47.0


def test_a_clock_that_was_set_back_takes_no_time_away() -> None:
    used = ledger(*BEGUN, at(-500, Notice("x")), at(-400, AGAIN))
    assert (used.seconds, used.run.seconds) == (0.0, 0.0)


@pytest.mark.parametrize("jump", [timedelta(hours=48), timedelta(hours=-48)], ids=["forward", "back"])
def test_a_clock_that_was_set_changes_no_time_that_was_worked(jump: timedelta) -> None:
    lines = [*BEGUN, at(40, Notice("x"))]
    told = [replace(one, up=(one.at - START).total_seconds()) for one in lines]
    put = [told[0], *(replace(one, at=one.at + jump) for one in told[1:])]
    used = ledger(*put, at(9000, AGAIN))
    assert (used.seconds, used.run.seconds) == (40.0, 30.0)


def test_an_attempt_under_way_costs_nobody_knows_what_so_far() -> None:
    used = ledger(*BEGUN)
    assert str(used.so_far().cost) == str(used.so_far("WP01").cost) == "unknown"
    assert used.so_far("WP02").cost == used.run.cost == NO_COST
    used.take(ended(15, 1.0, 1, 1))
    assert str(used.so_far().cost) == "1.00 USD"


@pytest.mark.parametrize("cost", [1.5, None])
def test_an_attempt_that_outlived_its_killed_runner_is_counted_once(cost: float | None) -> None:
    end = at(300, replace(ENDED, seconds=90.0, cost_usd=cost, input_tokens=10, output_tokens=1))
    found = ledger(*BEGUN, at(20, Notice("killed soon")), at(290, AGAIN), end)
    assert found.run.attempts == 1
    assert found.run.cost == NO_COST.plus(cost)
    assert (found.run.tokens, found.run.unknown_tokens, found.run.seconds) == (11, 0, 90.0)
    assert found.of("WP01") == found.run
