"""What each lane means is said once, on the enum."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kitty_run.engine.lifecycle.state_machine import first_step
from kitty_run.host.model import Lane

ROOT = Path(__file__).parents[2]

STARTABLE = {Lane.PLANNED, Lane.CLAIMED, Lane.IN_PROGRESS}
PAST = {Lane.FOR_REVIEW, Lane.IN_REVIEW, Lane.APPROVED}


@pytest.mark.parametrize("lane", Lane)
def test_every_lane_is_classified(lane: Lane) -> None:
    assert lane.startable is (lane in STARTABLE)
    assert lane.past_implementation is (lane in PAST)
    assert lane.in_motion is (lane in STARTABLE | PAST)
    assert lane.finished is (lane in {Lane.DONE, Lane.CANCELED})
    assert lane.settled is (lane in {Lane.PLANNED, Lane.DONE, Lane.CANCELED})
    assert lane.for_agent is (lane in {Lane.IN_PROGRESS, Lane.IN_REVIEW})


@pytest.mark.parametrize("lane", Lane)
@pytest.mark.parametrize("review_claim", [True, False])
def test_exactly_the_lanes_in_motion_have_a_first_step(lane: Lane, review_claim: bool) -> None:
    assert (first_step(lane, review_claim) is not None) is lane.in_motion


def test_the_schema_has_the_same_lanes() -> None:
    schema = json.loads((ROOT / "schemas" / "event.schema.json").read_text())
    assert set(schema["$defs"]["lane"]["enum"]) == set(Lane)
