"""Lanes that others move while the run's own attempts are at work: no such move approves anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.engine.state.events import AttemptStarted, Event, HeadFound, LaneMovedByOthers, VerdictGiven
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.simulation.agents import SimulatedAttempt, SimulatedEnd, flawless
from kitty_run.simulation.kill import run_and_kill

from tests.engine.world import World

APPROVING = [Lane.APPROVED, Lane.DONE]


def moving(
    world: Callable[[], World],
    lane: Lane,
    *,
    role: str = "implement",
    wp: str = "WP01",
    verdict: str = "approved",
) -> Callable[[SimulatedAttempt], SimulatedEnd]:
    """Agents of which the first one of WP01 in `role` moves `wp` to `lane` on the host by itself."""

    def act(attempt: SimulatedAttempt) -> SimulatedEnd:
        if (attempt.wp, attempt.role, attempt.attempt) == ("WP01", role, 1):
            world().host.move(wp, lane, actor="an agent")
            if role == "review" and verdict != "approved":
                return attempt.verdict("changes_requested")
        return flawless(attempt)

    return act


def world_with(tmp_path: Path, dialect: str, lane: Lane, **moves: str) -> World:
    found: list[World] = []
    world = World(
        tmp_path,
        {"WP01": [], "WP02": ["WP01"]},
        dialect=dialect,
        script=moving(lambda: found[0], lane, **moves),
    )
    found.append(world)
    return world


def reviews(world: World, wp: str) -> list[VerdictGiven]:
    return [verdict for verdict in world.events(VerdictGiven) if verdict.wp == wp]


@pytest.mark.parametrize(
    ("dialect", "lane"), [("feature", Lane.DONE), *(("mission", one) for one in APPROVING)]
)
def test_an_implementer_that_approves_itself_is_reviewed(tmp_path: Path, dialect: str, lane: Lane) -> None:
    world = world_with(tmp_path, dialect, lane)
    report = world.run()
    [move] = world.events(LaneMovedByOthers)
    assert (move.wp, move.lane, move.during, move.approval) == ("WP01", lane, ("WP01",), True)
    assert [one.verdict for one in reviews(world, "WP01")] == ["approved"]
    assert not world.events(HeadFound)
    assert report.exit_status is ExitStatus.OK
    assert set(world.lanes().values()) == {Lane.DONE}


def test_what_depends_on_it_does_not_start_before_its_review(tmp_path: Path) -> None:
    world = world_with(tmp_path, "mission", Lane.DONE)
    world.run()
    events: list[Event] = [entry.event for entry in world.entries()]
    verdict = next(at for at, one in enumerate(events) if isinstance(one, VerdictGiven) and one.wp == "WP01")
    start = next(at for at, one in enumerate(events) if isinstance(one, AttemptStarted) and one.wp == "WP02")
    assert verdict < start


def test_a_reviewer_that_approves_on_the_host_and_then_requests_changes_has_requested_changes(
    tmp_path: Path,
) -> None:
    world = world_with(tmp_path, "mission", Lane.APPROVED, role="review", verdict="changes_requested")
    report = world.run()
    assert [one.verdict for one in reviews(world, "WP01")] == ["changes_requested", "approved"]
    assert report.exit_status is ExitStatus.OK


def test_where_the_lanes_allow_no_rework_any_more_a_person_is_asked(tmp_path: Path) -> None:
    world = world_with(tmp_path, "mission", Lane.DONE, role="review", verdict="changes_requested")
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    end = report.work_packages["WP01"]
    assert (end.result, end.code) == (Result.PAUSED, EndCode.MOVED_BY_OTHERS)
    assert "Move it back to in_progress on the host, then run again" in end.reason
    assert report.work_packages["WP02"].code is EndCode.DEPENDENCIES
    assert report.merged is None
    world.host.move("WP01", Lane.IN_PROGRESS, actor="kitty-run")
    assert world.run().exit_status is ExitStatus.OK
    assert [one.verdict for one in reviews(world, "WP01")] == ["changes_requested", "approved"]


def test_an_agent_that_waves_another_work_package_through_gets_nothing_merged(tmp_path: Path) -> None:
    world = world_with(tmp_path, "mission", Lane.DONE, wp="WP02")
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert report.work_packages["WP02"].code is EndCode.MOVED_BY_OTHERS
    assert "Move it back to planned" in report.work_packages["WP02"].reason
    assert report.merged is None


def test_a_move_during_an_attempt_counts_after_a_kill_too(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptStarted))
    world.host.move("WP01", Lane.APPROVED, actor="an agent")
    report = world.run()
    assert [one.approval for one in world.events(LaneMovedByOthers)] == [True]
    assert [one.verdict for one in reviews(world, "WP01")] == ["approved"]
    assert report.exit_status is ExitStatus.OK


def test_what_a_person_approved_before_any_attempt_is_respected(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": [], "WP02": ["WP01"]})
    world.workspace("WP01").commit()
    world.host.move("WP01", Lane.APPROVED, actor="a person")
    report = world.run()
    assert not world.events(LaneMovedByOthers)
    assert not reviews(world, "WP01")
    assert report.exit_status is ExitStatus.OK
    assert "by others" in report.work_packages["WP01"].remark


def test_an_own_approval_whose_reply_was_lost_is_an_own_one(tmp_path: Path) -> None:
    world = World(
        tmp_path, {"WP01": [], "WP02": []}, faults=[Fault("approve", "HOST_TIMEOUT", wp="WP01", after=True)]
    )
    report = world.run()
    assert not world.events(LaneMovedByOthers)
    assert report.exit_status is ExitStatus.OK
