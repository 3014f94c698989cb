"""Host calls as the journal has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


def test_the_runner_writes_refs_of_work_packages_only_while_no_host_call_is_made(tmp_path: Path) -> None:
    """Both would want the lock of the root checkout."""
    world = World(tmp_path, {"WP01": [], "WP02": []})
    kept: dict[str, bool] = {}
    inside: list[bool] = []
    keep, quiet = world.repository.keep, world.host.quiet

    @asynccontextmanager
    async def quiet_watched() -> AsyncIterator[None]:
        async with quiet():
            inside.append(True)
            yield
            inside.pop()

    async def keep_watched(mission: str, wp: str, sha: str) -> None:
        kept[wp] = bool(inside)
        await keep(mission, wp, sha)

    world.host.quiet = quiet_watched  # type: ignore[method-assign]
    world.repository.keep = keep_watched  # type: ignore[method-assign]
    world.run()
    assert kept["WP01"] is kept["WP02"] is True
