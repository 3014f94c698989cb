"""The retry decision, over every action and every edge of its counters."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kitty_run.engine.decisions.retry import Decision, decide, delay, row_for
from kitty_run.profile.model import Action, Backoff, RetryRow
from kitty_run.profile.retry_verbs import verb

REPEATING = [action for action in Action if verb(action).repeats]
TERMINAL = [action for action in Action if action not in REPEATING]
rows = st.builds(
    RetryRow,
    do=st.sampled_from(Action),
    attempts=st.integers(0, 20),
    backoff=st.builds(
        Backoff,
        initial=st.floats(0, 60),
        factor=st.floats(1, 5),
        max=st.none() | st.floats(0, 600),
        jitter=st.floats(0, 1),
    ),
    then=st.sampled_from(Action),
)


@pytest.mark.parametrize("action", sorted(REPEATING))
def test_a_repeating_action_is_taken_as_often_as_the_row_says_and_then_its_then(action: Action) -> None:
    row = RetryRow(action, attempts=3, then=Action.ABORT)
    decisions = [decide(row, repeats) for repeats in range(5)]
    assert [decision.action for decision in decisions] == [action] * 3 + [Action.ABORT] * 2
    assert [decision.repeat for decision in decisions] == [1, 2, 3, 0, 0]
    assert [decision.exhausted for decision in decisions] == [False, False, False, True, True]


@pytest.mark.parametrize("action", sorted(set(TERMINAL) - {Action.FALLBACK}))
@pytest.mark.parametrize("repeats", [0, 1, 100])
def test_a_terminal_action_is_taken_at_once_whatever_was_counted(action: Action, repeats: int) -> None:
    assert decide(RetryRow(action, then=Action.RETRY), repeats) == Decision(action)


@pytest.mark.parametrize("then", sorted(REPEATING))
def test_a_then_that_repeats_would_never_end_so_it_blocks(then: Action) -> None:
    assert decide(RetryRow(Action.RETRY, attempts=0, then=then), 0).action is Action.BLOCK


@pytest.mark.parametrize(
    ("do", "then", "left", "expected"),
    [
        (Action.FALLBACK, Action.BLOCK, True, Action.FALLBACK),
        (Action.FALLBACK, Action.BLOCK, False, Action.BLOCK),
        (Action.FALLBACK, Action.ABORT, False, Action.ABORT),
        (Action.FALLBACK, Action.FALLBACK, False, Action.BLOCK),
        (Action.FALLBACK, Action.RETRY, False, Action.BLOCK),
        (Action.RETRY, Action.FALLBACK, True, Action.FALLBACK),
        (Action.RETRY, Action.FALLBACK, False, Action.BLOCK),
    ],
)
def test_a_fallback_needs_a_further_agent(do: Action, then: Action, left: bool, expected: Action) -> None:
    assert decide(RetryRow(do, attempts=0, then=then), 0, fallback_left=left).action is expected


def test_the_backoff_grows_by_its_factor_up_to_its_maximum() -> None:
    backoff = Backoff(initial=1, factor=2, max=10)
    assert [delay(backoff, repeats, 0) for repeats in range(6)] == [1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize(("spread", "expected"), [(-1, 8), (0, 10), (0.5, 11), (1, 12)])
def test_jitter_spreads_the_wait_by_its_share(spread: float, expected: float) -> None:
    assert delay(Backoff(initial=10, jitter=0.2), 0, spread) == pytest.approx(expected)


def test_a_wait_lasts_until_the_limit_is_reset() -> None:
    row = RetryRow(Action.WAIT, attempts=2, backoff=Backoff(30))
    assert decide(row, 0, until_reset=5000).wait == 5000
    assert decide(row, 0, until_reset=-5).wait == 30  # it says nothing, and the backoff counts
    assert decide(row, 0).wait == 30


def test_a_retry_does_not_wait_for_a_reset() -> None:
    assert decide(RetryRow(Action.RETRY, backoff=Backoff(1)), 0, until_reset=5000).wait == 1


def test_an_unknown_key_takes_the_default_row_and_without_one_blocks() -> None:
    table = {"default": RetryRow(Action.ABORT), "KNOWN": RetryRow(Action.SKIP)}
    assert row_for(table, "KNOWN").do is Action.SKIP
    assert row_for(table, "UNKNOWN").do is Action.ABORT
    assert row_for({}, "UNKNOWN").do is Action.BLOCK


@given(rows, st.booleans(), st.floats(-1, 1), st.none() | st.floats(-1e6, 1e6))
def test_every_row_ends(row: RetryRow, left: bool, spread: float, until: float | None) -> None:
    """However a row is written, following it comes to a terminal action after at most `attempts` repeats."""
    repeats = 0
    for _ in itertools.count():
        decision = decide(row, repeats, spread=spread, until_reset=until, fallback_left=left)
        assert decision.wait >= 0
        if decision.action not in REPEATING:
            break
        repeats = decision.repeat
    assert repeats <= row.attempts
    assert decision.action is not Action.FALLBACK or left


@given(rows, st.integers(0, 10_000), st.floats(-1, 1))
def test_no_wait_is_longer_than_the_maximum_with_its_jitter(
    row: RetryRow, repeats: int, spread: float
) -> None:
    if row.backoff.max is not None:
        assert delay(row.backoff, repeats, spread) <= row.backoff.max * (1 + row.backoff.jitter)
