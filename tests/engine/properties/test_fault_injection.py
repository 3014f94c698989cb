"""Random missions, in which everything fails at random, keep every promise."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings

from tests.engine.properties.course import Course
from tests.engine.properties.invariants import problems
from tests.engine.properties.scenarios import Scenario, scenarios
from tests.engine.properties.watch import Watch

pytestmark = [pytest.mark.whole, pytest.mark.no_cover]
PART = 450
"""Examples of each of the four parts of the long run, which are 2,000 with those of the short one."""


def found(scenario: Scenario) -> list[str]:
    """What a scenario shows to be wrong. No power is cut here, so that nothing needs to be synced."""
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder, patch("os.fsync"):
        return problems(Course(scenario, Path(folder), watch).run(), watch)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_whatever_fails_every_promise_holds(scenario: Scenario) -> None:
    assert found(scenario) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(4))
@settings(max_examples=PART, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenario=scenarios())
def test_two_thousand_times(part: int, scenario: Scenario) -> None:
    assert found(scenario) == []
