"""What an attempt cost, from what its agent reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.agents.model import Exit, ModelUsage, Outcome
from kitty_run.engine.decisions.cost import Used, used
from kitty_run.profile.prices import Price

PRICES = {"big": Price(10.0, 100.0, 1.0), "small": Price(1.0, 2.0)}
BIG = ModelUsage("big", 100_000, 40_000, 2_000)
SMALL = ModelUsage("small", 50_000, None, 1_000)


def outcome(*models: ModelUsage, cost: float | None = None) -> Outcome:
    nothing = Path("/dev/null")
    return Outcome(None, "", Exit("exit", 0, None, 1.0, nothing, nothing), cost_usd=cost, models=models)


def test_what_the_agent_says_wins() -> None:
    assert used(outcome(BIG, cost=0.5), "attempt", (), PRICES) == Used((BIG,), 0.5, "agent")
    assert used(outcome(cost=0.0), "attempt", (), PRICES) == Used((), 0.0, "agent")


def test_tokens_become_cost() -> None:
    found = used(outcome(BIG, SMALL), "attempt", (), PRICES)
    assert found == Used((BIG, SMALL), pytest.approx(0.6 + 0.04 + 0.2 + 0.05 + 0.002), "prices")


def test_what_is_unknown_of_one_model_is_unknown_of_all() -> None:
    for one in (ModelUsage("other", 1, 0, 1), ModelUsage(None, 1, 0, 1), ModelUsage("big", None, 0, 1)):
        assert used(outcome(SMALL, one), "attempt", (), PRICES) == Used((SMALL, one), None, None)
    assert used(outcome(), "attempt", (), PRICES) == Used((), None, None)


def test_totals_of_a_conversation_are_those_of_its_attempts_together() -> None:
    before = (ModelUsage("big", 60_000, 10_000, 1_500), ModelUsage("small", 9, 9, 9))
    found = used(outcome(BIG), "session", before, PRICES)
    assert found.models == (ModelUsage("big", 40_000, 30_000, 500),)
    again = used(outcome(BIG), "session", (BIG,), PRICES)
    assert (again.models, again.cost_usd) == ((ModelUsage("big", 0, 0, 0),), 0.0)
    assert used(outcome(BIG), "attempt", before, PRICES).models == (BIG,)
