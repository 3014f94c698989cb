"""What a reviewer that was cut off left behind is put back, however its session and the next ones ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import AttemptEnded, AttemptProcess, Event, ReviewDiscarded, WpEnded
from kitty_run.errors import ExitStatus
from kitty_run.git.protocols import Snapshot
from kitty_run.profile.limits import Allowance, Limits
from kitty_run.simulation.kill import run_and_kill

from tests.engine.world import Did, FakeWorkspace, Job, World, good

DISCARD = FakeWorkspace.discard


def untidy(job: Job) -> Did:
    """The first reviewer leaves a file and a commit in the workspace."""
    if job.role == "review" and job.attempt == 1:
        job.tree.files["reviewer.txt"] = "x"
        job.tree.commit()
        job.tree.files["more.txt"] = "x"
    return good(job)


async def slowly(workspace: FakeWorkspace, since: Snapshot, why: str) -> tuple[str, ...]:
    """As git discards: it takes time, and the run may be ended before it is through."""
    await asyncio.sleep(1.0)
    return await DISCARD(workspace, since, why)


def review(kind: type[AttemptEnded | AttemptProcess]) -> Callable[[Event], bool]:
    def is_it(event: Event) -> bool:
        if isinstance(event, AttemptEnded):
            return kind is AttemptEnded and event.role == "review"
        return isinstance(event, AttemptProcess) and kind is AttemptProcess and "/review-" in event.marker

    return is_it


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_sessions_that_end_before_the_next_review_forget_nothing(tmp_path: Path, dialect: str) -> None:
    world = World(tmp_path, {"WP01": []}, script=untidy, dialect=dialect)
    begun = review(AttemptProcess)
    assert run_and_kill(world, lambda event, _: begun(event))
    handed_in = world.kept["WP01"]
    for _session in range(2):
        world.change(limits=Limits(work_package=Allowance(attempts=2)))
        assert world.run().exit_status is ExitStatus.PAUSED
    assert [event.code for event in world.events(WpEnded)] == ["limit_reached"] * 2
    world.change(limits=Limits())
    report = world.run()
    assert report.exit_status is ExitStatus.OK, report
    assert world.tree("WP01").head == handed_in


@pytest.mark.parametrize("dialect", ["mission", "feature"])
@pytest.mark.parametrize("kind", [AttemptProcess, AttemptEnded])
def test_a_signal_during_or_just_after_a_review_blocks_nothing(
    tmp_path: Path, dialect: str, kind: type[AttemptEnded | AttemptProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorkspace, "discard", slowly)

    def stop(world: World, event: Event, session: Session) -> None:
        if wanted(event):
            world.on_event = None
            session.end_now()

    wanted = review(kind)
    world = World(tmp_path, {"WP01": []}, script=untidy, dialect=dialect)
    world.on_event = stop  # type: ignore[assignment]
    assert world.run().exit_status is ExitStatus.INTERRUPTED
    handed_in = world.kept["WP01"]
    report = world.run()
    assert report.exit_status is ExitStatus.OK, report
    assert world.tree("WP01").head == handed_in


def test_what_is_committed_after_a_signal_was_seen_to_is_reviewed(tmp_path: Path) -> None:
    """The interrupted session put the workspace back itself: what comes later is no reviewer's."""

    def stop(world: World, event: Event, session: Session) -> None:
        if wanted(event):
            world.on_event = None
            session.end_now()

    wanted = review(AttemptProcess)
    world = World(tmp_path, {"WP01": []})
    world.on_event = stop  # type: ignore[assignment]
    assert world.run().exit_status is ExitStatus.INTERRUPTED
    world.tree("WP01").files["late.txt"] = "a person's"
    late = world.tree("WP01").commit()
    assert world.run().exit_status is ExitStatus.OK
    assert world.tree("WP01").head == late
    assert not any(event.files for event in world.events(ReviewDiscarded))


def test_the_simulated_host_serves_work_packages_side_by_side_in_each_session(tmp_path: Path) -> None:
    world = World(tmp_path, {f"WP{number:02}": [] for number in range(1, 5)})
    world.host.latency = 1.0
    world.change(limits=Limits(wall_clock=3.0))
    assert world.run().exit_status is ExitStatus.PAUSED
    world.change(limits=Limits())
    assert world.run().exit_status is ExitStatus.OK
