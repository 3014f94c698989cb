"""Going on: after a kill at any instant, from every lane, and after signals, gates and limits."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptProcess,
    AttemptStarted,
    CallEnded,
    ErrorUnexpected,
    Event,
    GateWaiting,
    ProcessEnded,
    ReviewDiscarded,
    VerdictGiven,
    WorkCommitted,
)
from kitty_run.engine.state.gate_answers import Answer, give
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.model import Limits
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

UNDER_WAY = (AttemptStarted, AttemptProcess, ProcessEnded, AttemptEnded, WorkCommitted)
"""Killed after one of these, an attempt had begun and its result was not recorded yet: it is made again."""


def events_of_a_whole_run(root: Path, dialect: str) -> int:
    world = World(root, PAIR, script=picky, dialect=dialect)
    assert world.run().exit_status is ExitStatus.OK
    return len(world.entries()) - 1  # the first is written before anybody listens


@pytest.mark.whole
@pytest.mark.parametrize("dialect", ["mission", "feature"])
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


@pytest.mark.parametrize("gate", ["start", "accept", "merge"])
def test_a_gate_pauses_the_run_until_it_is_answered(tmp_path: Path, gate: str) -> None:
    world = World(tmp_path, PAIR)
    world.change(gates=(gate,))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert f"kitty-run approve {gate}" in report.reason
    assert (world.jobs == []) == (gate == "start")
    give(world.place, gate, Answer(True, "ann"))
    assert world.run().exit_status is ExitStatus.OK


def test_a_gate_before_done_pauses_each_work_package(tmp_path: Path) -> None:
    world = World(tmp_path, PAIR)
    world.change(gates=("done",))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert "approve done-WP01" in report.work_packages["WP01"].reason
    give(world.place, "done-WP01", Answer(True, "ann"))
    assert world.run().exit_status is ExitStatus.PAUSED
    give(world.place, "done-WP02", Answer(True, "ann"))
    assert world.run().exit_status is ExitStatus.OK
    assert len(world.jobs) == 4


def test_a_person_who_rejects_at_the_gate_before_done_sends_the_work_back(tmp_path: Path) -> None:
    world = World(
        tmp_path,
        {"WP01": []},
        script=lambda job: job.work(f"{job.attempt}") if job.role == "implement" else job.verdict(),
    )
    world.change(gates=("done",))
    world.run()
    give(world.place, "done-WP01", Answer(False, "ann", "wrong module"))
    assert world.run().exit_status is ExitStatus.PAUSED
    assert "wrong module" in world.jobs[2].prompt


@pytest.mark.parametrize("gate", ["start", "merge"])
def test_a_rejected_gate_ends_the_run_and_is_asked_again_next_time(tmp_path: Path, gate: str) -> None:
    world = World(tmp_path, PAIR)
    world.change(gates=(gate,))
    world.run()
    give(world.place, gate, Answer(False, "ann", "not today"))
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "not today" in report.reason
    assert world.run().exit_status is ExitStatus.PAUSED


class Person:
    """Sits at the terminal and answers after a while."""

    def __init__(self, answer: Answer, seconds: float) -> None:
        self.answer = answer
        self.seconds = seconds
        self.asked: list[str] = []

    async def ask(self, gate: str, about: str) -> Answer:
        self.asked.append(f"{gate}: {about}")
        await asyncio.sleep(self.seconds)
        return self.answer


def test_a_person_at_the_terminal_is_asked_while_other_work_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": [], "WP02": []})
    world.change(gates=("done", "merge"))
    world.asker = person = Person(Answer(True, "ann"), 100.0)
    assert world.run().exit_status is ExitStatus.OK
    assert person.asked == ["done-WP01: WP01", "done-WP02: WP02", "merge: mission demo"]
    waited = [entry.at for entry in world.entries() if isinstance(entry.event, GateWaiting)]
    assert (waited[1] - waited[0]).total_seconds() < 10


def test_an_answer_given_elsewhere_counts_while_a_person_is_asked(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.change(gates=("merge",))
    world.asker = Person(Answer(False), 1e9)
    world.on_event = approve_when_waiting  # type: ignore[assignment]
    assert world.run().exit_status is ExitStatus.OK


def approve_when_waiting(world: World, event: Event, _: Session) -> None:
    if isinstance(event, GateWaiting):
        give(world.place, event.gate, Answer(True, "bea"))


def test_a_gate_that_is_answered_while_other_work_runs_needs_no_further_command(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return replace(good(job), seconds=1.0 if job.wp == "WP01" else 50.0)

    world = World(tmp_path, {"WP01": [], "WP02": []}, script=script)
    world.change(gates=("done",))
    world.on_event = approve_when_waiting  # type: ignore[assignment]
    report = world.run()
    assert world.lanes()["WP01"] is Lane.DONE
    assert report.exit_status is ExitStatus.OK, report


def test_an_interrupt_ends_the_waiting_for_a_person(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.change(gates=("merge",))
    world.asker = Person(Answer(True), 1e9)
    world.on_event = lambda _, event, session: session.interrupt() if isinstance(event, GateWaiting) else None
    assert world.run().exit_status is ExitStatus.INTERRUPTED
    assert not world.merged


def test_yes_answers_every_gate(tmp_path: Path) -> None:
    world = World(tmp_path, PAIR)
    world.change(gates=("start", "done", "accept", "merge"))
    world.yes = True
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
    assert len(world.events(ReviewDiscarded)) == 1
    assert world.kept["WP01"] == handed_in
