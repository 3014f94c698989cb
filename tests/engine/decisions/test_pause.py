"""The verb `pause`: nothing is blocked, the cause is told, and the same command continues."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.engine.state.session_report import Report
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.model import Action, FailureClass, Profile, RetryRow

from tests.engine import profiles
from tests.engine.world import Did, Job, World, good

PAUSE = RetryRow(Action.PAUSE)


def profile(table: str, **rows: RetryRow) -> Profile:
    made = profiles.profile()
    changed = {**getattr(made.retry, table), **rows}
    return replace(made, retry=replace(made.retry, **{table: changed}))


def paused(report: Report, wp: str = "WP01") -> str:
    """The reason of `wp`, which must have paused the run."""
    found = report.work_packages[wp]
    assert (report.exit_status, found.result, found.code) == (
        ExitStatus.PAUSED,
        Result.PAUSED,
        EndCode.PAUSED,
    )
    return found.reason


@pytest.mark.parametrize(
    ("operation", "lane"),
    [
        ("claim", Lane.PLANNED),
        ("hand_in", Lane.IN_PROGRESS),
        ("claim_review", Lane.FOR_REVIEW),
        ("approve", Lane.IN_REVIEW),
        ("locate", Lane.FOR_REVIEW),
    ],
)
def test_a_refused_call_pauses_its_work_package_where_it_is(
    tmp_path: Path, operation: str, lane: Lane
) -> None:
    world = World(tmp_path, {"WP01": []}, profile=profile("host", BUSY=PAUSE))
    if operation == "locate":
        world.host.move("WP01", lane)
    world.host.faults = [Fault(operation, "BUSY")]
    reason = paused(world.run())
    assert reason.startswith(f"{operation}: BUSY: ")
    assert "Fix the cause, then run the same command again" in reason
    assert world.lanes() == {"WP01": lane}
    assert "block" not in world.operations()
    assert world.run().exit_status is ExitStatus.OK


def test_repeats_before_a_pause_begin_anew_after_it(tmp_path: Path) -> None:
    row = RetryRow(Action.RETRY, 2, then=Action.PAUSE)
    faults = [Fault("hand_in", "BUSY", times=5)]
    world = World(tmp_path, {"WP01": []}, profile=profile("host", BUSY=row), faults=faults)
    paused(world.run())
    assert world.operations().count("hand_in") == 3
    assert world.run().exit_status is ExitStatus.OK  # two more fail, and the table repeats both
    assert world.operations().count("hand_in") == 6


def test_a_failed_attempt_pauses_and_the_others_are_worked_on(tmp_path: Path) -> None:
    fixed: list[bool] = []

    def script(job: Job) -> Did:
        return good(job) if fixed or job.wp != "WP01" else job.fail_of(FailureClass.AUTH)

    packages = {"WP01": [], "WP02": [], "WP03": ["WP01"]}
    world = World(tmp_path, packages, profile=profile("agent", auth=PAUSE), script=script)
    report = world.run()
    assert "auth" in paused(report)
    assert world.lanes() == {"WP01": Lane.IN_PROGRESS, "WP02": Lane.DONE, "WP03": Lane.PLANNED}
    fixed.append(True)
    assert world.run().exit_status is ExitStatus.OK


def test_used_up_rework_may_wait_for_a_person_who_allows_more(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "review" and job.cycle < 3:
            return job.verdict("changes_requested")
        return job.work(f"{job.attempt}") if job.role == "implement" else job.verdict()

    made = profile("review", changes_requested=RetryRow(Action.REWORK, 1, then=Action.PAUSE))
    world = World(tmp_path, {"WP01": []}, profile=made, script=script)
    assert "raise retry.review.changes_requested.attempts" in paused(world.run())
    assert world.lanes() == {"WP01": Lane.IN_REVIEW}
    more = profile("review", changes_requested=RetryRow(Action.REWORK, 2, then=Action.PAUSE))
    world.change(retry=more.retry)
    assert world.run().exit_status is ExitStatus.OK


@pytest.mark.parametrize("operation", ["accept", "merge"])
def test_a_call_for_the_whole_mission_pauses_the_run(tmp_path: Path, operation: str) -> None:
    world = World(
        tmp_path, {"WP01": []}, profile=profile("host", BUSY=PAUSE), faults=[Fault(operation, "BUSY")]
    )
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert "BUSY" in report.reason
    assert world.run().exit_status is ExitStatus.OK


@pytest.mark.parametrize("code", ["BUSY", "HOST_UNREADABLE"])
def test_a_state_that_can_not_be_read_pauses_the_run(tmp_path: Path, code: str) -> None:
    """It is read after a lost hand-in, and before the mission's finish."""
    made = profile("host", **{code: PAUSE})
    world = World(tmp_path, {"WP01": []}, profile=made, faults=[Fault("state", code)])
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert "can't be read" in report.reason or code in report.reason
    assert "block" not in world.operations()
    assert world.run().exit_status is ExitStatus.OK


def test_a_state_that_can_not_be_read_in_a_step_pauses_all_that_is_under_way(tmp_path: Path) -> None:
    made = profile("host", BUSY=PAUSE)
    faults = [Fault("hand_in", "HOST_TIMEOUT", after=True, wp="WP01"), Fault("state", "BUSY")]
    world = World(tmp_path, {"WP01": [], "WP02": []}, profile=made, faults=faults)
    report = world.run()
    paused(report)
    assert report.work_packages["WP02"].result in {Result.PAUSED, Result.DONE}
    assert Lane.BLOCKED not in world.lanes().values()
