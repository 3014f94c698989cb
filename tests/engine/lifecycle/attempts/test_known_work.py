"""Work that an attempt did is known by the next one, and is not paid twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptProcess,
    CheckEnded,
    ChecksStarted,
    Event,
    ProcessEnded,
    RetryDecided,
    VerdictGiven,
    WorkLeft,
)
from kitty_run.errors import ExitStatus
from kitty_run.profile.limits import Allowance, Limits
from kitty_run.profile.model import Check, Profile
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import Did, Job, World


def checked() -> Profile:
    made = profiles.profile()
    implement = replace(made.roles["implement"], checks=(Check("tests", ("make-test",)),))
    return replace(made, roles={**made.roles, "implement": implement})


class Mission:
    """WP01 is rejected once. `failing` are the runs of its check that fail, by number from 1.

    Its implementer works once in each cycle and changes nothing more.
    """

    def __init__(self, failing: set[int]) -> None:
        self.failing = failing
        self.checks = 0

    def __call__(self, job: Job) -> Did:
        if job.agent == "make-test":
            self.checks += 1
            return Did(1 if self.checks in self.failing else 0)
        if job.role == "review":
            return job.verdict("approved" if job.cycle > 1 else "changes_requested")
        job.tree.files[f"cycle-{job.cycle}.txt"] = "done"
        return job.idle()


def implemented(world: World) -> list[int]:
    """The cycles of all attempts to implement."""
    return [job.cycle for job in world.jobs if job.role == "implement" and job.agent != "make-test"]


@pytest.mark.parametrize("failing", [{1}, {2}])
def test_a_check_that_fails_once_does_not_make_the_next_attempt_fail(
    tmp_path: Path, failing: set[int]
) -> None:
    world = World(tmp_path, {"WP01": []}, profile=checked(), script=Mission(failing))
    report = world.run()
    assert report.exit_status is ExitStatus.OK, report
    assert "no_changes" not in {event.key for event in world.events(RetryDecided)}
    assert len(implemented(world)) == 3


def test_a_round_of_rework_that_leaves_the_rejected_work_as_it_is_has_no_changes(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "review":
            return job.verdict("changes_requested")
        job.tree.files["same.txt"] = "x"
        return job.idle()

    world = World(tmp_path, {"WP01": []}, script=script)
    report = world.run()
    assert report.work_packages["WP01"].code is EndCode.ATTEMPT_FAILED
    assert [event.key for event in world.events(RetryDecided)] == ["changes_requested", *["no_changes"] * 2]


def test_work_that_an_attempt_of_the_round_takes_back_has_no_changes(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "review":
            return job.verdict("changes_requested")
        if job.cycle == 1:
            return job.work("first.txt")
        if job.attempt == 2:
            job.tree.files["second.txt"] = "x"
            return job.fail()
        job.tree.files.pop("second.txt", None)
        return job.idle()

    world = World(tmp_path, {"WP01": []}, script=script)
    world.run()
    assert world.events(RetryDecided)[2].key == "no_changes"


def checking(event: Event, kind: type[Event], number: int) -> bool:
    """Whether it is such an event of the checks on attempt `number`."""
    if isinstance(event, AttemptProcess | ProcessEnded):
        return type(event) is kind and event.marker.endswith(f"/checks-{number}")
    return isinstance(event, kind)


@pytest.mark.parametrize("dialect", ["mission", "feature"])
@pytest.mark.parametrize("kind", [ChecksStarted, AttemptProcess, ProcessEnded, CheckEnded])
@pytest.mark.parametrize("attempt", [1, 2])
def test_checks_that_were_cut_off_run_again_and_not_the_agent(
    tmp_path: Path, dialect: str, kind: type[Event], attempt: int
) -> None:
    def script(job: Job) -> Did:
        if job.agent == "make-test":
            job.tree.files["build.log"] = "left by the checks"
        return mission(job)

    def at(event: Event, _: int) -> bool:
        begun.append(event) if isinstance(event, ChecksStarted) else None
        return len(begun) == attempt and checking(event, kind, attempt)

    begun: list[Event] = []
    mission = Mission(set())
    world = World(tmp_path, {"WP01": []}, profile=checked(), script=script, dialect=dialect)
    assert run_and_kill(world, at)
    report = world.run()
    assert report.exit_status is ExitStatus.OK, report
    assert implemented(world) == [1, 2]
    assert world.tree("WP01").commits[-1].keys() == {"cycle-1.txt", "cycle-2.txt"}


def test_checks_that_run_again_and_fail_are_the_attempts_own(tmp_path: Path) -> None:
    """What they say is told to the next attempt, and the agent counts as an author of what it left."""
    world = World(tmp_path, {"WP01": []}, profile=checked(), script=Mission({1, 2}))
    assert run_and_kill(world, lambda event, _: checking(event, ProcessEnded, 1))
    assert world.run().exit_status is ExitStatus.OK
    assert implemented(world) == [1, 1, 2]
    assert next(event.key for event in world.events(RetryDecided)) == "check_failed"
    assert [event.files for event in world.events(WorkLeft)] == [("cycle-1.txt",)]
    again = next(job for job in world.jobs if job.attempt == 2 and job.agent == "ada")
    assert "check `tests` failed" in again.prompt


def test_what_somebody_commits_after_checks_were_cut_off_is_an_attempts_again(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, profile=checked(), script=Mission(set()))
    assert run_and_kill(world, lambda event, _: isinstance(event, ChecksStarted))
    world.tree("WP01").files["late.txt"] = "a person's"
    world.tree("WP01").commit()
    assert world.run().exit_status is ExitStatus.OK
    assert implemented(world) == [1, 1, 2]


def test_checks_of_an_attempt_that_the_journal_lost_are_an_attempts_again(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, profile=checked(), script=Mission(set()))
    assert run_and_kill(world, lambda event, _: isinstance(event, ChecksStarted))
    lines = world.place.journal.read_text().splitlines(keepends=True)
    world.place.journal.write_text("".join(line for line in lines if '"attempt.started"' not in line))
    assert world.run().exit_status is ExitStatus.OK
    assert implemented(world) == [1, 1, 2]


@pytest.mark.parametrize("verdict", ["approved", "changes_requested"])
def test_a_reviewer_that_ended_is_not_paid_twice_for_its_verdict(tmp_path: Path, verdict: str) -> None:
    def script(job: Job) -> Did:
        if job.role == "implement":
            return job.work(f"{job.cycle}.txt")
        told = verdict if job.cycle == 1 else "approved"
        return job.verdict(told, ["src/a.py is wrong"])  # type: ignore[arg-type]

    world = World(tmp_path, {"WP01": []}, script=script)
    assert run_and_kill(world, lambda event, _: isinstance(event, VerdictGiven), written=False)
    assert not world.events(VerdictGiven)
    assert world.run().exit_status is ExitStatus.OK
    given = world.events(VerdictGiven)
    assert [event.verdict for event in given] == (
        [verdict] if verdict == "approved" else [verdict, "approved"]
    )
    assert [finding.message for finding in given[0].findings] == ["src/a.py is wrong"]
    assert len([job for job in world.jobs if job.role == "review"]) == len(given)


def test_a_verdict_counts_only_for_the_commit_that_its_reviewer_saw(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    assert run_and_kill(world, lambda event, _: isinstance(event, VerdictGiven), written=False)
    world.tree("WP01").files["late.txt"] = "nobody saw it"
    world.tree("WP01").commit()
    assert world.run().exit_status is ExitStatus.OK
    assert world.tree("WP01").head in {event.commit for event in world.events(VerdictGiven)}
    assert "late.txt" not in world.tree("WP01").commits[-1]


def test_a_failure_is_settled_by_the_table_though_the_runner_was_killed_right_after_it(
    tmp_path: Path,
) -> None:
    """The row blocks after two attempts: a kill between an end and its decision buys no third one."""
    world = World(tmp_path, {"WP01": []}, script=lambda job: job.fail())
    ends: list[Event] = []

    def at(event: Event, _: int) -> bool:
        ends.append(event) if isinstance(event, AttemptEnded) else None
        return len(ends) == 2

    whole = World(tmp_path / "whole", {"WP01": []}, script=lambda job: job.fail())
    whole.run()
    assert run_and_kill(world, at)
    report = world.run()
    assert report.work_packages["WP01"].code is EndCode.ATTEMPT_FAILED
    assert len(world.jobs) == len(whole.jobs)
    assert len(world.events(RetryDecided)) == len(whole.events(RetryDecided))


def test_work_that_an_attempt_reported_as_not_done_is_not_handed_in_after_a_kill(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "review":
            return job.verdict()
        job.work(f"{job.attempt}.txt")
        return Did(output="T001: not done\n" if job.attempt == 1 else "T001: done\n")

    world = World(tmp_path, {"WP01": []}, script=script, subtasks={"WP01": 1})
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptEnded))
    assert world.run().exit_status is ExitStatus.OK
    assert implemented(world) == [1, 1]


def test_work_that_was_paid_is_handed_in_though_no_attempt_more_is_allowed(tmp_path: Path) -> None:
    profile = replace(profiles.profile(), limits=Limits(work_package=Allowance(attempts=1)))
    world = World(tmp_path, {"WP01": []}, profile=profile)
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptEnded))
    assert world.run().exit_status is ExitStatus.PAUSED
    assert world.lanes()["WP01"].value in {"for_review", "in_review"}


def test_an_attempt_that_the_journal_lost_keeps_its_log(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptEnded))
    lines = world.place.journal.read_text().splitlines(keepends=True)
    world.place.journal.write_text("".join(line for line in lines if '"attempt.' not in line))
    log = world.place.log("WP01", "implement-1")
    log.write_text("what the first one said")
    assert world.run().exit_status is ExitStatus.OK
    assert log.read_text() == "what the first one said"
    assert [job.attempt for job in world.jobs if job.role == "implement"] == [1, 2]
