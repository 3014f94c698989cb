"""Missions on the simulated host: what the engine does from the first claim to the merge."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.session import DependencyCycle
from kitty_run.engine.state.end_codes import Result
from kitty_run.engine.state.events import Notice, RetryDecided, ReviewDiscarded, VerdictGiven
from kitty_run.errors import ExitStatus
from kitty_run.git.protocols import Unmerged
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import SimCall
from kitty_run.profile.model import Action, Concurrency, RetryRow

from tests.engine import profiles
from tests.engine.world import Did, Job, World, good

DIAMOND = {"WP01": [], "WP02": ["WP01"], "WP03": ["WP01"], "WP04": ["WP02", "WP03"]}


@pytest.mark.parametrize("dialect", ["mission", "feature", "mission-4"])
def test_a_mission_goes_from_planned_to_merged(tmp_path: Path, dialect: str) -> None:
    world = World(tmp_path, DIAMOND, dialect=dialect)
    report = world.run()
    assert report.reason == ""
    assert report.exit_status is ExitStatus.OK
    assert set(world.lanes().values()) == {Lane.DONE}
    assert report.accepted
    assert report.merged
    assert len(world.jobs) == 8


def test_a_rejected_work_package_is_reworked_with_the_whole_feedback(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "implement":
            return job.work(f"file-{job.attempt}.txt")
        if job.wp == "WP02" and job.attempt == 1:
            return job.verdict("changes_requested", ["no test", "wrong name"])
        return job.verdict()

    world = World(tmp_path, DIAMOND, script=script)
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    rework = next(
        job for job in world.jobs if job.wp == "WP02" and job.cycle == 2 and job.role == "implement"
    )
    assert "no test" in rework.prompt
    assert "wrong name" in rework.prompt
    assert report.work_packages["WP02"].cycles == 2
    assert report.work_packages["WP02"].attempts == 4


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_rework_ends_in_blocked_when_its_rounds_are_used_up(tmp_path: Path, dialect: str) -> None:
    def script(job: Job) -> Did:
        if job.role == "implement":
            return job.work(f"file-{job.attempt}.txt")
        return job.verdict("changes_requested", ["never good enough"])

    world = World(tmp_path, {"WP01": [], "WP02": ["WP01"]}, dialect=dialect, script=script)
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert world.lanes() == {"WP01": Lane.BLOCKED, "WP02": Lane.PLANNED}
    assert len([job for job in world.jobs if job.role == "review"]) == 4  # the first, and after three reworks
    assert "never good enough" in report.work_packages["WP01"].reason
    assert "WP02 waits on WP01" in report.work_packages["WP02"].reason
    assert "merge" not in world.operations()
    assert "accept" not in world.operations()


def test_nothing_but_a_verdict_approves(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return job.work() if job.role == "implement" else job.idle()

    world = World(tmp_path, {"WP01": []}, script=script)
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert world.lanes() == {"WP01": Lane.BLOCKED}
    assert [event.key for event in world.events(RetryDecided)] == ["no_verdict"] * 3
    assert "approve" not in world.operations()


def test_a_reviewer_that_fails_does_not_approve_even_with_a_verdict(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "implement":
            return job.work()
        job.verdict()
        return job.fail()

    world = World(tmp_path, {"WP01": []}, script=script)
    world.run()
    assert world.lanes() == {"WP01": Lane.BLOCKED}
    assert not world.events(VerdictGiven)


def test_what_a_reviewer_changes_is_discarded_and_reported(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "review":
            job.tree.files["backdoor.txt"] = "x"
            return job.verdict()
        return job.work()

    world = World(tmp_path, {"WP01": []}, script=script)
    assert world.run().exit_status is ExitStatus.OK
    assert "backdoor.txt" in world.events(ReviewDiscarded)[0].files
    assert "backdoor.txt" not in world.tree("WP01").commits[-1]


def test_an_attempt_without_any_change_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, script=lambda job: job.idle())
    report = world.run()
    assert world.lanes() == {"WP01": Lane.BLOCKED}
    assert "no_changes" in report.work_packages["WP01"].reason
    assert len(world.jobs) == 2


def test_a_rework_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "review":
            return job.verdict("changes_requested", ["please"])
        return job.work() if job.cycle == 1 else job.idle()

    world = World(tmp_path, {"WP01": []}, script=script)
    report = world.run()
    assert "no_changes" in report.work_packages["WP01"].reason
    assert "hand_in" in world.operations()
    assert world.operations().count("hand_in") == 1


def test_an_attempt_that_touched_the_specs_is_refused_and_the_rest_of_it_kept(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "review":
            return job.verdict()
        if job.attempt == 1:
            job.tree.files["kitty-specs/demo/tasks/WP01.md"] = "lane: done"
        return job.work(f"part-{job.attempt}.txt")

    world = World(tmp_path, {"WP01": []}, script=script)
    assert world.run().exit_status is ExitStatus.OK
    assert world.events(RetryDecided)[0].key == "forbidden_change"
    assert set(world.tree("WP01").commits[-1]) == {"part-1.txt", "part-2.txt"}
    assert "kitty-specs" in world.jobs[1].prompt


def test_the_next_agent_takes_over_where_one_is_not_installed(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.agent == "ada":
            return job.fail(ending="not_installed")
        return job.work() if job.role == "implement" else job.verdict()

    profile = profiles.profile(implement=("ada", "eve"))
    world = World(tmp_path, {"WP01": []}, script=script, profile=profile)
    assert world.run().exit_status is ExitStatus.OK
    assert [job.agent for job in world.jobs] == ["ada", "ada", "ada", "eve", "bob"]
    families = [
        json.loads(call.argv[call.argv.index("--policy") + 1])["agent_family"] for call in _with_policy(world)
    ]
    assert families == ["ada", "eve", "bob", "bob"]


def test_the_reviewer_is_of_another_family_where_the_role_is_independent(tmp_path: Path) -> None:
    profile = profiles.profile(implement=("ada",), review=("ada", "bob"))
    review = replace(profile.roles["review"], independent=True)
    profile = replace(profile, roles={**profile.roles, "review": review})
    world = World(tmp_path, {"WP01": []}, profile=profile)
    assert world.run().exit_status is ExitStatus.OK
    assert [job.agent for job in world.jobs] == ["ada", "bob"]


def test_independence_that_cannot_be_kept_is_reported(tmp_path: Path) -> None:
    profile = profiles.profile(implement=("ada",), review=("ada",))
    review = replace(profile.roles["review"], independent=True)
    profile = replace(profile, roles={**profile.roles, "review": review})
    world = World(tmp_path, {"WP01": []}, profile=profile)
    assert world.run().exit_status is ExitStatus.OK
    assert any("no reviewer of another family" in event.text for event in world.events(Notice))


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_no_more_work_packages_run_at_once_than_allowed(tmp_path: Path, limit: int) -> None:
    wide = {f"WP{number:02}": [] for number in range(1, 7)}
    world = World(tmp_path, wide, profile=profiles.profile(work_packages=limit))
    assert world.run().exit_status is ExitStatus.OK
    assert world.peak == limit


def test_a_role_and_an_agent_have_limits_of_their_own(tmp_path: Path) -> None:
    wide = {f"WP{number:02}": [] for number in range(1, 7)}
    profile = replace(profiles.profile(), concurrency=Concurrency(6, roles={"review": 1}, agents={"ada": 2}))
    world = World(tmp_path, wide, profile=profile)
    peaks = {"implement": 0, "review": 0}

    def script(job: Job) -> Did:
        running = [one.role for one in world.running]
        peaks.update({role: max(peak, running.count(role)) for role, peak in peaks.items()})
        return good(job)

    world.script = script
    assert world.run().exit_status is ExitStatus.OK
    assert peaks == {"implement": 2, "review": 1}


def test_a_cycle_of_dependencies_is_refused_before_anything_starts(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": ["WP02"], "WP02": ["WP01"]})
    with pytest.raises(DependencyCycle, match="WP01"):
        world.run()
    assert world.jobs == []
    assert world.operations() == ["state"]


def test_an_unknown_dependency_ends_the_run_with_who_waits_on_what(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": [], "WP02": ["WP77"]})
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert report.work_packages["WP02"].reason == "WP02 waits on WP77 (not in this mission)"


def test_no_call_carries_force(tmp_path: Path) -> None:
    world = World(tmp_path, DIAMOND, script=lambda job: job.fail())
    world.run()
    assert all("--force" not in call.argv for call in world.host.calls)


def test_merged_by_the_host_but_not_found_by_git_is_no_success(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.unmerged = (Unmerged("WP01", "changes are missing", ("a.py",)),)
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert report.merged is None
    assert "a.py" in report.reason


def test_few_calls_are_made_for_a_mission_without_trouble(tmp_path: Path) -> None:
    world = World(tmp_path, DIAMOND)
    world.run()
    mutating = [
        name for name in world.operations() if name not in {"state", "ready", "locate", "accept", "merge"}
    ]
    assert len(mutating) == 4 * len(DIAMOND)
    assert world.operations().count("state") == 2
    assert "locate" not in world.operations()


def _with_policy(world: World) -> list[SimCall]:
    return [call for call in world.host.calls if "--policy" in call.argv]


@pytest.mark.parametrize(
    ("do", "result", "lane"),
    [
        (Action.BLOCK, Result.BLOCKED, Lane.BLOCKED),
        (Action.SKIP, Result.SKIPPED, Lane.IN_REVIEW),
        (Action.ABORT, Result.FAILED, Lane.IN_REVIEW),
    ],
)
def test_what_follows_requested_changes_is_what_the_row_says(
    tmp_path: Path, do: Action, result: Result, lane: Lane
) -> None:
    def script(job: Job) -> Did:
        if job.role == "implement":
            return job.work()
        return job.verdict("changes_requested", ["no"])

    made = profiles.profile()
    tables = replace(made.retry, review={"changes_requested": RetryRow(do)})
    world = World(tmp_path, {"WP01": []}, profile=replace(made, retry=tables), script=script)
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert report.work_packages["WP01"].result is result
    assert world.host.lane("WP01") is lane
    assert ("no round of rework is left" in report.reason) is (do is Action.ABORT)
