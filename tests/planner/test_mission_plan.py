"""What a run would do now is what a run does: its order, what is in its way, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.lifecycle.state_machine import first_step
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import SimHost
from kitty_run.planner.mission_plan import make
from kitty_run.profile.finish import Finish, Merge
from kitty_run.profile.model import Profile

from tests.engine import profiles
from tests.planner.looking import DIAMOND, mission_of, order, planned, work_package


def at(**lanes: Lane) -> SimHost:
    """The diamond with some work packages in other lanes."""
    host = SimHost.of(DIAMOND)
    for wp, lane in lanes.items():
        host.move(wp, lane)
    return host


def ending(finish: Finish) -> Profile:
    return replace(profiles.profile(), finish=finish)


def test_only_reading_calls_are_made_and_nothing_is_written(tmp_path: Path) -> None:
    host = SimHost.of(DIAMOND, repo=tmp_path)
    planned(host, repo=tmp_path)
    assert {call.operation for call in host.calls} == {"state"}
    assert list(tmp_path.iterdir()) == []


def test_without_a_mission_there_are_only_the_roles() -> None:
    plan = make(profiles.profile(), None)
    assert plan.mission is None
    assert [agent.name for agent in plan.roles["implement"]] == ["ada"]


def test_each_wave_is_what_the_one_before_lets_start() -> None:
    assert order(planned(at())) == [["WP01"], ["WP02", "WP03"], ["WP04"], ["WP05"]]
    assert order(planned(at(WP01=Lane.DONE))) == [["WP02", "WP03"], ["WP04"], ["WP05"]]
    assert order(planned(at(**dict.fromkeys(DIAMOND, Lane.DONE)))) == []


def test_reviews_come_first_and_the_longest_way_next() -> None:
    host = SimHost.of({"WP01": [], "WP02": [], "WP03": ["WP02"], "WP04": []})
    host.move("WP04", Lane.FOR_REVIEW)
    assert order(planned(host)) == [["WP04", "WP02", "WP01"], ["WP03"]]


@pytest.mark.parametrize(
    "lane", [Lane.PLANNED, Lane.CLAIMED, Lane.IN_PROGRESS, Lane.FOR_REVIEW, Lane.IN_REVIEW, Lane.APPROVED]
)
def test_the_first_step_is_that_of_the_state_machine(lane: Lane) -> None:
    found = work_package(planned(at(WP01=lane)), "WP01")
    assert found.step is first_step(lane, review_claim=True)
    assert found.wave == 1


@pytest.mark.parametrize("lane", [Lane.DONE, Lane.BLOCKED, Lane.CANCELED])
def test_what_does_not_run_has_neither_wave_nor_step(lane: Lane) -> None:
    found = work_package(planned(at(WP01=lane)), "WP01")
    assert (found.wave, found.step) == (None, None)


def test_what_waits_says_on_whom_with_their_lanes() -> None:
    plan = planned(at(WP01=Lane.DONE, WP02=Lane.IN_REVIEW))
    assert work_package(plan, "WP02").waits_on == ()
    assert work_package(plan, "WP04").waits_on == ("WP02 (in_review)", "WP03 (planned)")


def test_a_dependency_that_the_mission_does_not_have_is_named() -> None:
    plan = planned(SimHost.of({"WP01": ["WP09"]}))
    assert mission_of(plan).problems == ("WP01 can't start: it waits on WP09 (not in this mission)",)


def test_a_circle_is_a_problem_of_its_own() -> None:
    plan = planned(SimHost.of({"WP01": [], "WP02": ["WP03"], "WP03": ["WP02"]}))
    assert "dependency cycle" in mission_of(plan).problems[0]
    assert order(plan) == [["WP01"]]


def test_a_blocked_work_package_comes_with_what_frees_it() -> None:
    plan = planned(at(WP02=Lane.BLOCKED))
    advice = work_package(plan, "WP02").advice
    assert "WP02" in advice
    assert mission_of(plan).problems[0] == f"WP02 is blocked on the host; {advice}"
    assert mission_of(plan).problems[1] == "WP04 can't start: it waits on WP02 (blocked), WP03 (planned)"


def test_a_canceled_one_is_in_the_way_where_the_host_does_not_take_it_as_finished() -> None:
    host = at(WP05=Lane.CANCELED)
    problems = mission_of(planned(host)).problems
    assert bool(problems) is (Lane.CANCELED not in host.traits.finished)


def test_work_packages_of_one_workspace_are_planned_one_after_the_other() -> None:
    host = SimHost.of({"WP01": [], "WP02": [], "WP03": []}, rooms={"WP01": "lane-a", "WP02": "lane-a"})
    plan = planned(host)
    assert order(plan) == [["WP01", "WP03"], ["WP02"]]
    assert work_package(plan, "WP01").shares == ("WP02",)
    assert work_package(plan, "WP03").shares == ()


def test_what_a_blocked_work_package_keeps_out_of_its_workspace_is_not_planned() -> None:
    host = SimHost.of({"WP01": [], "WP02": [], "WP03": ["WP02"]}, rooms={"WP01": "lane-a", "WP02": "lane-a"})
    host.move("WP01", Lane.BLOCKED)
    plan = planned(host)
    waits = {one.id: one.waits_on for one in mission_of(plan).work_packages if one.wave is None}
    assert waits["WP02"] == ("WP01 (blocked), which works in the same workspace",)
    assert waits["WP03"] == ("WP02 (planned)",)


def test_the_end_is_said_in_its_order() -> None:
    merged = mission_of(planned(at(), ending(Finish(merge=Merge("main", "merge", push=True))))).finish
    starts = ("accept the mission", "merge into main by merge, and push it", "verify with git")
    assert [line for line in merged if line.startswith(starts)] == [
        next(line for line in merged if line.startswith(start)) for start in starts
    ]
    assert mission_of(planned(at(), ending(Finish(accept=False, merge=None)))).finish == ()
    assert mission_of(planned(at(), ending(Finish(accept=True, merge=None)))).finish == (
        "accept the mission",
    )


def test_the_target_is_the_profiles_or_the_missions_own() -> None:
    lines = mission_of(planned(at(), ending(Finish(merge=Merge("release"))))).finish
    assert any(line.startswith("merge into release by ") for line in lines)
    host = at()
    lines = mission_of(planned(host, ending(Finish(merge=Merge(None))))).finish
    expected = host.target or "the branch of the root checkout"
    assert any(line.startswith(f"merge into {expected} by ") for line in lines)


def test_a_way_to_merge_that_the_host_does_not_have_is_a_problem() -> None:
    host = at()
    merge = Merge("main", "octopus")  # type: ignore[arg-type]
    (problem,) = mission_of(planned(host, ending(Finish(merge=merge)))).problems
    assert problem.startswith("finish.merge.strategy: octopus does not work on this host")
    assert all(strategy in problem for strategy in host.traits.merge_strategies)
