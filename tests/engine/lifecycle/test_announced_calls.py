"""Host calls as the journal has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.state.events import CallEnded, CallStarted

from tests.engine.world import Did, Job, World, good

CHANGING = {"claim", "hand_in", "claim_review", "approve", "reject", "confirm", "block", "merge"}


@pytest.mark.parametrize("shape", ["lanes", "coord"])
def test_every_call_that_changes_something_is_announced_before_it_is_made(tmp_path: Path, shape: str) -> None:
    def script(job: Job) -> Did:
        if job.wp == "WP02":
            return job.fail()
        return job.verdict("changes_requested") if job.role == "review" and job.attempt == 1 else good(job)

    world = World(tmp_path, {"WP01": [], "WP02": []}, script=script, shape=shape)
    world.run()
    announced: set[tuple[str, str | None]] = set()
    seen: set[str] = set()
    for entry in world.entries():
        match entry.event:
            case CallStarted() as call:
                announced.add((call.operation, call.wp))
            case CallEnded() as call if call.operation in CHANGING:
                assert (call.operation, call.wp) in announced
                announced.discard((call.operation, call.wp))
                seen.add(call.operation)
    assert {"claim", "hand_in", "claim_review", "approve", "reject", "block"} <= seen


def test_the_merge_is_announced(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.run()
    calls = [one.event for one in world.entries() if isinstance(one.event, CallStarted | CallEnded)]
    merges = [type(one) for one in calls if one.operation == "merge"]
    assert merges == [CallStarted, CallEnded]
