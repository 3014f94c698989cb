"""Work that an attempt did is known by the next one, and is not paid twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.events import RetryDecided
from kitty_run.errors import ExitStatus
from kitty_run.profile.model import Check, Profile

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
