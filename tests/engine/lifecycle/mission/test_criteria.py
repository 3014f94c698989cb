"""Acceptance criteria: settled by what a reviewer said of the approved commit, and never without that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import CriterionSettled, Event, Notice, VerdictGiven
from kitty_run.engine.state.gate_answers import Answer, give
from kitty_run.errors import ExitStatus
from kitty_run.profile.model import Check
from kitty_run.simulation.simulation import Simulation

from tests.engine.criteria import wanting
from tests.engine.world import Did, Job, World, good

PAIR = {"WP01": [], "WP02": []}


def said(*ids: str, result: str = "pass") -> list[dict[str, str]]:
    return [{"id": name, "result": result, "evidence": f"a test of {name}"} for name in ids]


def making(
    root: Path,
    *told: dict[str, str],
    acceptance: Literal["review", "person"] = "review",
    wanted: dict[str, Sequence[str]] | None = None,
    personal: Sequence[str] = (),
) -> World:
    """A world whose reviewers all say `told` of its criteria."""
    world = World(
        root, PAIR, script=lambda job: good(job) if job.role == "implement" else job.verdict(criteria=told)
    )
    wanting(world, wanted or {"WP01": ["FR-001"], "WP02": ["FR-002"]}, personal=personal)
    world.change(finish=replace(world.profile.finish, acceptance=acceptance))
    return world


def test_what_reviewers_saw_is_reported_to_the_host_with_the_commit_and_who_saw_it(tmp_path: Path) -> None:
    world = making(tmp_path, *said("FR-001", "FR-002"))
    assert world.run().exit_status is ExitStatus.OK
    assert {name: result for name, (result, _) in world.host.settled.items()} == dict.fromkeys(
        ["FR-001", "FR-002"], "pass"
    )
    evidence = world.host.settled["FR-001"][1]
    assert evidence == f"WP01 at {world.tree('WP01').head[:10]}, reviewed by bob: a test of FR-001"
    assert [event.criterion for event in world.events(CriterionSettled)] == ["FR-001", "FR-002"]


def test_reviewers_are_asked_for_the_criteria_of_their_own_work_package_alone(tmp_path: Path) -> None:
    world = making(tmp_path, personal=["FR-009"])
    wanting(world, {"WP01": ["FR-001", "FR-009"], "WP02": ["FR-002"]}, personal=["FR-009"])
    world.run()
    prompts = {job.wp: job.prompt for job in world.jobs if job.role == "review"}
    assert "FR-001: FR-001 holds" in prompts["WP01"]
    assert '"criteria"' in prompts["WP01"]
    assert "FR-002" not in prompts["WP01"]
    assert "FR-009 holds" not in prompts["WP01"], "only a person can tell"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param((), id="nothing"),
        pytest.param(said("FR-003"), id="of another one"),
        pytest.param(said("FR-002"), id="of another work package"),
    ],
)
def test_a_criterion_that_its_own_reviewer_does_not_speak_of_stays_open(
    tmp_path: Path, told: Sequence[dict[str, str]]
) -> None:
    world = making(tmp_path, *told, wanted={"WP01": ["FR-001"]})
    world.run()
    assert world.host.settled == {}


def test_an_approval_that_says_a_criterion_fails_is_none(tmp_path: Path) -> None:
    world = making(tmp_path, *said("FR-001", result="fail"))
    assert world.run().exit_status is not ExitStatus.OK
    assert world.host.settled == {}


def test_one_that_two_work_packages_share_wants_the_word_of_both_reviewers(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "implement":
            return good(job)
        return job.verdict(criteria=said("FR-001") if job.wp == "WP01" else ())

    world = making(tmp_path, wanted={"WP01": ["FR-001"], "WP02": ["FR-001"]})
    world.script = script
    world.run()
    assert world.host.settled == {}


def test_what_only_a_person_can_judge_is_not_taken_from_a_reviewer(tmp_path: Path) -> None:
    world = making(tmp_path, *said("FR-001"), wanted={"WP01": ["FR-001"]}, personal=["FR-001"])
    world.run()
    assert world.host.settled == {}


def test_a_person_is_shown_each_criterion_its_evidence_and_its_source_before_anything_is_reported(
    tmp_path: Path,
) -> None:
    world = making(
        tmp_path, *said("FR-001"), acceptance="person", wanted={"WP01": ["FR-001"], "WP02": ["FR-002"]}
    )
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert world.host.settled == {}
    assert "FR-001: FR-001 holds" in report.reason
    assert "reviewed by bob: a test of FR-001" in report.reason
    assert "no evidence: it stays open" in report.reason
    give(world.place, "accept", Answer(True, "mia"))
    world.run()
    assert list(world.host.settled) == ["FR-001"], (
        "a person's yes to the list is no word for what has no evidence"
    )
    assert world.host.settled["FR-001"][1].startswith("approved by mia; WP01 at ")


def test_a_mission_without_criteria_asks_nobody(tmp_path: Path) -> None:
    world = World(tmp_path, PAIR)
    world.change(finish=replace(world.profile.finish, acceptance="person"))
    assert world.run().exit_status is ExitStatus.OK


def checked(world: World, *criteria: str, evidence: Literal["review", "check"]) -> World:
    """A check that names `criteria`; `evidence` is what the profile takes for enough."""
    implement = world.profile.roles["implement"]
    checks = (Check("tests", ("make-test",), criteria=criteria),)
    world.change(
        roles={**world.profile.roles, "implement": replace(implement, checks=checks)},
        finish=replace(world.profile.finish, evidence=evidence),
    )
    of_agents = world.script
    world.script = lambda job: Did() if job.agent == "make-test" else of_agents(job)
    return world


def test_a_check_beside_the_reviewers_word_is_named_with_the_criterion_that_it_names(tmp_path: Path) -> None:
    world = checked(making(tmp_path, *said("FR-001", "FR-002")), "FR-001", evidence="review")
    assert world.run().exit_status is ExitStatus.OK
    assert world.host.settled["FR-001"][1].endswith("reviewed by bob: a test of FR-001, checked by tests")
    assert "checked" not in world.host.settled["FR-002"][1]


@pytest.mark.parametrize("evidence", ["review", "check"])
def test_a_check_alone_settles_what_it_names_and_only_where_the_profile_takes_that_for_enough(
    tmp_path: Path, evidence: Literal["review", "check"]
) -> None:
    world = checked(making(tmp_path), "FR-001", evidence=evidence)
    world.run()
    settled = {"FR-001": ("pass", f"WP01 at {world.tree('WP01').head[:10]}, checked by tests")}
    assert world.host.settled == (settled if evidence == "check" else {})


def test_a_check_is_no_evidence_for_a_work_package_that_is_not_to_meet_the_criterion(tmp_path: Path) -> None:
    world = checked(making(tmp_path, wanted={"WP01": ["FR-002"]}), "FR-001", evidence="check")
    world.run()
    assert world.host.settled == {}
    (told,) = [event.text for event in world.events(Notice) if "FR-001" in event.text]
    assert "that the mission lacks" in told


def test_a_check_is_none_for_what_only_a_person_can_judge(tmp_path: Path) -> None:
    wanted = {"WP01": ["FR-001"]}
    world = checked(making(tmp_path, wanted=wanted, personal=["FR-001"]), "FR-001", evidence="check")
    world.run()
    assert world.host.settled == {}


def test_a_check_of_an_older_commit_is_none(tmp_path: Path) -> None:
    """What was approved was committed after the check: a reviewer saw it, the check did not."""
    world = making(tmp_path, wanted={"WP01": ["FR-001"], "WP02": ["FR-002"]})
    checked(world, "FR-001", "FR-002", evidence="check")
    late = ["WP01"]

    def commit(_: Simulation, event: Event, __: Session) -> None:
        if isinstance(event, VerdictGiven) and event.wp in late:
            late.clear()
            world.tree("WP01").files["late.txt"] = "x"
            world.tree("WP01").commit()

    world.on_event = commit
    world.run()
    assert list(world.host.settled) == ["FR-002"]
