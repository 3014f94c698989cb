"""Others at work on the same mission: what they finish, give back or free is taken up during a run."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kitty_run.engine.state.end_codes import Result
from kitty_run.engine.state.events import Notice, WpMoved
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault

from tests.engine.world import Did, Job, World

OTHER = "colleague"
LONG = 600.0
"""Seconds of the run's own first implementation; `host.poll` is 60."""


def shared(root: Path, *, then: Lane | None = None, wp01: Lane = Lane.IN_PROGRESS) -> World:
    """WP02 is the run's own; WP03 waits on WP01, which a colleague holds and moves to `then` after 100 s."""

    def script(job: Job) -> Did:
        if job.wp == "WP02" and job.role == "implement":
            if then is not None:
                asyncio.get_running_loop().call_later(100.0, world.host.move, "WP01", then, OTHER)
            return job.work(seconds=LONG)
        return job.work() if job.role == "implement" else job.verdict()

    world = World(root, {"WP01": [], "WP02": [], "WP03": ["WP01"]}, script=script)
    world.host.move("WP01", wp01, OTHER)
    return world


def order(world: World) -> list[str]:
    return [f"{job.wp} {job.role}" for job in world.jobs]


def test_what_others_finish_lets_dependents_start_while_own_work_continues(tmp_path: Path) -> None:
    world = shared(tmp_path, then=Lane.DONE)
    report = world.run()
    assert order(world) == ["WP02 implement", "WP03 implement", "WP03 review", "WP02 review"]
    assert {wp: package.result for wp, package in report.work_packages.items()} == dict.fromkeys(
        ("WP01", "WP02", "WP03"), Result.DONE
    )


def test_what_others_give_back_is_taken_up(tmp_path: Path) -> None:
    world = shared(tmp_path, then=Lane.PLANNED)
    assert world.run().exit_status is ExitStatus.OK
    assert order(world)[:3] == ["WP02 implement", "WP01 implement", "WP01 review"]


def test_what_others_only_move_on_stays_theirs(tmp_path: Path) -> None:
    world = shared(tmp_path, then=Lane.FOR_REVIEW)
    report = world.run()
    assert order(world) == ["WP02 implement", "WP02 review"]
    assert report.work_packages["WP01"].result is Result.SKIPPED
    assert report.work_packages["WP03"].result is Result.WAITING


def test_what_others_cancel_is_reported_as_canceled(tmp_path: Path) -> None:
    report = shared(tmp_path, then=Lane.CANCELED).run()
    assert report.work_packages["WP01"].reason == "canceled on the host"


def test_a_run_does_not_stay_only_to_wait_for_others(tmp_path: Path) -> None:
    report = shared(tmp_path).run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert report.seconds < LONG + 60.0
    assert "held by colleague" in report.work_packages["WP01"].reason


def test_others_are_looked_at_no_more_often_than_the_profile_says(tmp_path: Path) -> None:
    world = shared(tmp_path)
    world.run()
    assert world.operations().count("state") <= LONG / world.profile.host.poll + 1


def test_nothing_is_read_again_where_nobody_else_is_at_work(tmp_path: Path) -> None:
    world = shared(tmp_path, wp01=Lane.PLANNED)
    assert world.run().exit_status is ExitStatus.OK
    assert world.operations().count("state") == 2  # the connection's, and the one before accepting


def test_a_blocked_work_package_continues_when_a_person_frees_it(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "review":
            return job.verdict()
        if job.wp == "WP02":
            asyncio.get_running_loop().call_later(100.0, world.host.move, "WP01", Lane.PLANNED, OTHER)
            return job.work(seconds=LONG)
        freed = world.host.lane("WP01") is Lane.IN_PROGRESS and any(
            event.lane is Lane.BLOCKED for event in world.events(WpMoved)
        )
        return job.work() if freed else job.idle()

    world = World(tmp_path, {"WP01": [], "WP02": []}, script=script)
    assert world.run().exit_status is ExitStatus.OK
    assert order(world)[-1] == "WP02 review"


def test_a_poll_that_fails_is_reported_and_ends_nothing(tmp_path: Path) -> None:
    world = shared(tmp_path, then=Lane.DONE)
    world.host.faults.append(Fault("state", "HOST_UNREADABLE", times=4))
    report = world.run()
    assert "WP03 review" in order(world)
    assert report.work_packages["WP02"].result is Result.DONE
    assert any("no look at what others do" in event.text for event in world.events(Notice))
