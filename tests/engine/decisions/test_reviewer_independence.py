"""`independent`: the family that did the work reviews it only where no other is listed, and that is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.events import AttemptProcess, Notice, VerdictGiven
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action, Profile, RetryRow
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import Did, Job, World, good

BOTH = ("ada", "bob")


def profile(implement: tuple[str, ...] = BOTH, review: tuple[str, ...] = ("bob", "ada")) -> Profile:
    """Ada implements and bob reviews, and each takes the other's place at once."""
    made = profiles.profile(implement=implement, review=review)
    tables = replace(made.retry, agent={"default": RetryRow(Action.FALLBACK)})
    roles = {**made.roles, "review": replace(made.roles["review"], independent=True)}
    return replace(made, roles=roles, retry=tables)


def reviewers(world: World) -> list[str]:
    return [job.agent for job in world.jobs if job.role == "review"]


def notices(world: World) -> list[str]:
    return [event.text for event in world.events(Notice)]


def at_first(agent: str, *, leaves: bool) -> object:
    """A script in which the agent's implementing attempts fail, with or without leaving something."""

    def script(job: Job) -> Did:
        if job.role == "implement" and job.agent == agent:
            if leaves:
                job.work("half.txt")
            return job.fail()
        return good(job)

    return script


def test_after_the_reviewers_family_stepped_in_as_implementer_the_other_reviews(tmp_path: Path) -> None:
    script = at_first("ada", leaves=False)
    world = World(tmp_path, {"WP01": []}, profile=profile(), script=script)  # type: ignore[arg-type]
    assert world.run().exit_status is ExitStatus.OK
    assert [job.agent for job in world.jobs] == ["ada", "bob", "ada"]
    assert notices(world) == []
    assert [event.independent for event in world.events(VerdictGiven)] == [True]


def test_who_did_a_part_of_the_work_reviews_only_where_no_stranger_is_listed(tmp_path: Path) -> None:
    script = at_first("ada", leaves=True)
    listed = profile(review=("ada", "bob", "zoe"))
    world = World(tmp_path / "a", {"WP01": []}, profile=listed, script=script)  # type: ignore[arg-type]
    assert world.run().exit_status is ExitStatus.OK
    assert reviewers(world) == ["zoe"]
    assert notices(world) == []

    world = World(tmp_path / "b", {"WP01": []}, profile=profile(), script=script)  # type: ignore[arg-type]
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    assert reviewers(world) == ["ada"]
    (said,) = notices(world)
    assert said.endswith("is of a family that did a part of this: ada reviews what family bob finished")
    assert "reviewed by ada, of a family that did" in report.work_packages["WP01"].remark


def test_an_attempt_that_was_cut_off_counts_as_work_of_its_family(tmp_path: Path) -> None:
    """Ada was killed with the runner, and is limited afterwards: what she left is in bob's work."""

    def script(job: Job) -> Did:
        if job.role == "implement" and job.agent == "ada":
            job.work("half.txt")
            return job.fail()
        return good(job)

    world = World(tmp_path, {"WP01": []}, profile=profile(review=("ada", "zoe")), script=script)
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptProcess))
    world.tree("WP01").files["half.txt"] = "ada's"
    world.script = lambda job: job.limited() if job.agent == "ada" else good(job)
    assert world.run().exit_status is ExitStatus.OK
    assert reviewers(world) == ["zoe"]


def test_rework_by_another_family_counts_too(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "review":
            return job.verdict("changes_requested" if job.cycle == 1 else "approved")
        return job.fail() if job.agent == "ada" and job.cycle == 2 else job.work(f"{job.attempt}.txt")

    world = World(tmp_path, {"WP01": []}, profile=profile(review=("bob", "ada", "zoe")), script=script)
    assert world.run().exit_status is ExitStatus.OK
    assert [job.agent for job in world.jobs] == ["ada", "bob", "ada", "bob", "zoe"]


def test_reviewers_that_are_used_up_block_and_never_lead_to_the_works_own_family(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return job.work() if job.role == "implement" else job.fail()

    world = World(tmp_path, {"WP01": []}, profile=profile(review=("ada", "bob", "zoe")), script=script)
    report = world.run()
    assert world.lanes() == {"WP01": Lane.BLOCKED}
    assert reviewers(world) == ["bob", "zoe"]
    assert "ada may not take over: `independent` wants" in report.work_packages["WP01"].reason


@pytest.mark.parametrize("named", ["", "2030-01-01T02:00:00+00:00"])
def test_a_limited_reviewer_is_waited_for_though_the_works_own_family_is_free(
    tmp_path: Path, named: str
) -> None:
    def script(job: Job) -> Did:
        if job.agent == "bob" and job.now.hour < 2 and job.wp == "WP01":
            return job.limited(named)
        return good(job)

    world = World(tmp_path, {"WP01": [], "WP02": []}, profile=profile(), script=script)
    world.change(retry=profiles.tables())
    assert world.run().exit_status is ExitStatus.OK
    assert set(reviewers(world)) == {"bob"}


def test_only_the_own_family_listed_is_in_the_report_and_once_in_the_journal(tmp_path: Path) -> None:
    failing = iter([True, False])

    def script(job: Job) -> Did:
        return job.fail() if job.role == "review" and next(failing) else good(job)

    world = World(tmp_path, {"WP01": []}, profile=profile(("ada",), ("ada",)), script=script)
    world.change(retry=profiles.tables())
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    assert reviewers(world) == ["ada", "ada"]
    assert notices(world) == [
        "no reviewer of another family than the implementer's is listed: ada reviews",
    ]
    assert report.work_packages["WP01"].remark
    assert [event.independent for event in world.events(VerdictGiven)] == [False]
