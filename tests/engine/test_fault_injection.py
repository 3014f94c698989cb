"""Random missions, in which everything fails at random, keep every promise."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from tests.engine.invariants import Watch, problems
from tests.engine.random_missions import Course, Scenario, scenarios

EXAMPLES = int(os.environ.get("KITTY_RUN_EXAMPLES", "200"))


def found(scenario: Scenario) -> list[str]:
    """What a scenario shows to be wrong."""
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        return problems(Course(scenario, Path(folder), watch).run(), watch)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_whatever_fails_every_promise_holds(scenario: Scenario) -> None:
    assert found(scenario) == []
