"""A run that was killed or interrupted anywhere continues: nothing is lost, and nothing done twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import (
    AttemptProcess,
    AttemptStarted,
    CallEnded,
    ErrorUnexpected,
    Event,
    ReviewDiscarded,
    VerdictGiven,
)
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.limits import Limits
from kitty_run.simulation.kill import run_and_kill

from tests.engine.world import Did, Job, World, good

PAIR = {"WP01": [], "WP02": ["WP01"]}


def picky(job: Job) -> Did:
    """WP01 is rejected once; every other work package is fine at once."""
    if job.role == "implement":
        return job.work(f"file-{job.cycle}.txt")
    rejected = job.wp == "WP01" and "file-2.txt" not in job.tree.commits[-1]
    return job.verdict("changes_requested", ["again"]) if rejected else job.verdict()


ATTEMPTS = 6
"""What `PAIR` costs with `picky` reviewers: two attempts each, and two more for the rework."""


UNDER_WAY = (AttemptStarted, AttemptProcess)
"""Killed after one of these, an attempt had begun and its end was not recorded yet: it is made again."""


def events_of_a_whole_run(root: Path, dialect: str) -> int:
    world = World(root, PAIR, script=picky, dialect=dialect)
    assert world.run().exit_status is ExitStatus.OK
    return len(world.entries()) - 1  # the first is written before anybody listens


@pytest.mark.whole
@pytest.mark.no_cover
@pytest.mark.parametrize("dialect", ["mission", "feature", "mission-4"])
def test_a_runner_killed_at_any_instant_is_gone_on_with(tmp_path: Path, dialect: str) -> None:
    """At each line of the journal: the same command brings the mission to its end, and pays for no more
    than the attempt that was under way."""
    total = events_of_a_whole_run(tmp_path / "whole", dialect)
    for instant in range(1, total):
        world = World(tmp_path / str(instant), PAIR, script=picky, dialect=dialect)
        assert run_and_kill(world, lambda _, count, at=instant: count == at)  # type: ignore[misc]
        under_way = isinstance(world.entries()[-1].event, UNDER_WAY)
        report = world.run()
        assert report.exit_status is ExitStatus.OK, (instant, report)
        assert set(world.lanes().values()) == {Lane.DONE}
        assert report.merged, instant
        paid = Counter((job.wp, job.role, job.cycle) for job in world.jobs)
        assert paid.total() <= ATTEMPTS + under_way, (instant, world.entries()[-1], paid)
        assert max(one.cycles for one in report.work_packages.values()) == 2, instant
        assert "--force" not in [word for call in world.host.calls for word in call.argv]


@pytest.mark.parametrize(
    ("lane", "jobs"),
    [
        (Lane.CLAIMED, ["implement", "review"]),
        (Lane.IN_PROGRESS, ["implement", "review"]),
        (Lane.FOR_REVIEW, ["review"]),
        (Lane.IN_REVIEW, ["review"]),
        (Lane.APPROVED, []),
        (Lane.DONE, []),
    ],
)
def test_a_work_package_found_in_any_lane_is_gone_on_with(
    tmp_path: Path, lane: Lane, jobs: list[str]
) -> None:
    world = World(tmp_path, {"WP01": []})
    world.tree("WP01").commits.append({"WP01.txt": "somebody's"})
    world.tree("WP01").files["WP01.txt"] = "somebody's"
    world.host.move("WP01", lane, actor="kitty-run")
    report = world.run()
    assert report.exit_status is ExitStatus.OK, report
    assert [job.role for job in world.jobs] == jobs


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_what_somebody_else_holds_is_left_to_them(tmp_path: Path, dialect: str) -> None:
    world = World(tmp_path, PAIR, dialect=dialect)
    world.host.move("WP01", Lane.IN_PROGRESS, actor="somebody")
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert world.jobs == []
    assert "held by somebody" in report.work_packages["WP01"].reason
    assert "held by somebody" in report.work_packages["WP02"].reason


@pytest.mark.parametrize("lane", [Lane.BLOCKED, Lane.CANCELED])
def test_a_work_package_that_is_out_is_not_touched_and_keeps_the_mission_from_ending(
    tmp_path: Path, lane: Lane
) -> None:
    world = World(tmp_path, {"WP01": [], "WP02": []})
    world.host.move("WP01", lane)
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert world.lanes() == {"WP01": lane, "WP02": Lane.DONE}
    assert not report.merged


def interrupt_at(type_: str, times: int) -> object:
    def follow(_: World, event: Event, session: Session) -> None:
        if type_ == event.TYPE and event.wp == "WP01":
            for _time in range(times):
                session.interrupt()

    return follow


def test_one_interrupt_lets_running_attempts_finish_and_starts_nothing_new(tmp_path: Path) -> None:
    world = World(tmp_path, PAIR)
    world.on_event = interrupt_at("attempt.process", 1)  # type: ignore[assignment]
    report = world.run()
    assert report.exit_status is ExitStatus.INTERRUPTED
    assert [job.role for job in world.jobs] == ["implement"]
    assert world.lanes()["WP01"] in {Lane.FOR_REVIEW, Lane.IN_REVIEW}
    world.on_event = None
    assert world.run().exit_status is ExitStatus.OK
    assert [job.role for job in world.jobs] == ["implement", "review"] * 2


def test_two_interrupts_end_the_attempts_and_leave_the_work_resumable(tmp_path: Path) -> None:
    world = World(tmp_path, PAIR)
    world.on_event = interrupt_at("attempt.process", 2)  # type: ignore[assignment]
    report = world.run()
    assert report.exit_status is ExitStatus.INTERRUPTED
    assert world.lanes()["WP01"] is Lane.IN_PROGRESS
    assert world.running == []
    world.on_event = None
    assert world.run().exit_status is ExitStatus.OK


def test_a_limit_pauses_the_run_and_a_higher_one_lets_it_go_on(tmp_path: Path) -> None:
    world = World(tmp_path, PAIR)
    world.change(limits=Limits(wall_clock=1.5))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert "limits.wall_clock" in report.reason
    world.change(limits=Limits())
    assert world.run().exit_status is ExitStatus.OK
    assert len(world.jobs) == 4


def test_an_unexpected_error_ends_its_work_package_loudly_and_no_other(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.wp == "WP01":
            raise ZeroDivisionError("a bug")
        return good(job)

    world = World(tmp_path, {"WP01": [], "WP02": []}, script=script)
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "unexpected ZeroDivisionError: a bug" in report.work_packages["WP01"].reason
    assert world.lanes()["WP02"] is Lane.DONE
    assert "in script" in world.events(ErrorUnexpected)[0].traceback


def test_a_profile_changed_between_two_sessions_counts_from_then_on(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.change(gates=("merge",))
    world.run()
    world.change(finish=replace(world.profile.finish, merge=None), gates=())
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    assert report.merged is None


MUTATING = ["claim", "hand_in", "claim_review", "approve"]


@pytest.mark.parametrize("operation", MUTATING)
@pytest.mark.parametrize("code", ["HOST_TIMEOUT", "HOST_UNREADABLE"])
def test_after_a_lost_call_the_state_is_read_before_anything_is_decided(
    tmp_path: Path, operation: str, code: str
) -> None:
    world = World(tmp_path, {"WP01": []}, faults=[Fault(operation, code, after=True)])
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    calls = world.operations()
    assert calls[calls.index(operation) + 1] == "state"
    repeats = 2 if operation == "claim" else 1  # only the claim's reply is needed, and it may be repeated
    assert calls.count(operation) == repeats
    assert [job.role for job in world.jobs] == ["implement", "review"]


@pytest.mark.parametrize("operation", MUTATING)
def test_a_call_that_was_lost_before_it_took_effect_is_made_again(tmp_path: Path, operation: str) -> None:
    world = World(tmp_path, {"WP01": []}, faults=[Fault(operation, "HOST_TIMEOUT", times=2)])
    assert world.run().exit_status is ExitStatus.OK
    assert world.operations().count(operation) == 3


def test_a_host_that_stays_silent_ends_the_run_and_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, faults=[Fault("hand_in", "HOST_TIMEOUT", times=99)])
    report = world.run()
    assert report.exit_status is ExitStatus.HOST
    assert "hand_in" in report.reason


def test_a_verdict_on_another_commit_than_the_one_that_is_there_does_not_count(tmp_path: Path) -> None:
    """Killed between verdict and approval; meanwhile somebody committed to the branch: reviewed anew."""
    world = World(tmp_path, {"WP01": []})
    assert run_and_kill(world, lambda event, _: isinstance(event, VerdictGiven))
    tree = world.tree("WP01")
    tree.files["late.txt"] = "unreviewed"
    tree.commits.append(dict(tree.files))
    assert world.run().exit_status is ExitStatus.OK
    assert [job.role for job in world.jobs] == ["implement", "review", "review"]


def test_a_runner_killed_between_the_rejection_and_the_rework_does_not_review_the_same_work_again(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, {"WP01": []}, script=picky)
    killed = run_and_kill(
        world, lambda event, _: isinstance(event, CallEnded) and event.operation == "reject"
    )
    assert killed
    assert world.run().exit_status is ExitStatus.OK
    assert world.operations().count("reject") == 1
    assert [(job.role, job.cycle) for job in world.jobs[2:]] == [("implement", 2), ("review", 2)]


@pytest.mark.parametrize("dialect", ["mission", "feature"])
@pytest.mark.parametrize("did", ["files", "a commit"])
def test_what_a_reviewer_of_a_killed_run_changed_is_put_aside(tmp_path: Path, dialect: str, did: str) -> None:
    def script(job: Job) -> Did:
        if job.role == "review" and job.attempt == 1:
            job.tree.files["reviewer.txt"] = "x"
            if did == "a commit":
                job.tree.commits.append(dict(job.tree.files))
        return good(job)

    world = World(tmp_path, {"WP01": []}, dialect=dialect, script=script)
    ended = "process.ended"
    assert run_and_kill(world, lambda event, _: ended == event.TYPE and event.marker.endswith("/review-1"))
    assert "reviewer.txt" in world.tree("WP01").files
    handed_in = world.kept["WP01"]
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    assert world.tree("WP01").head == handed_in
    [discarded] = world.events(ReviewDiscarded)
    assert (discarded.wp, "reviewer.txt" in discarded.files) == ("WP01", True)
    assert world.kept["WP01"] == handed_in
