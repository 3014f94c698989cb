"""The dependency graph: readiness, waves, cycles, and what waits on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st
from kitty_run.engine.scheduling import dependency_graph
from kitty_run.host.model import Lane, WorkPackage

DONE = frozenset({Lane.DONE})


def packages(dependencies: Mapping[str, Sequence[str]]) -> tuple[WorkPackage, ...]:
    return tuple(WorkPackage(wp, Lane.PLANNED, tuple(names)) for wp, names in dependencies.items())


def lanes(dependencies: Mapping[str, Sequence[str]], **known: Lane) -> dict[str, Lane]:
    return dict.fromkeys(dependencies, Lane.PLANNED) | known


CHAIN = {"WP01": [], "WP02": ["WP01"], "WP03": ["WP02"]}


def test_a_work_package_may_start_when_all_it_depends_on_is_satisfied() -> None:
    assert dependency_graph.in_motion(packages(CHAIN), lanes(CHAIN), DONE) == ["WP01"]
    assert dependency_graph.in_motion(packages(CHAIN), lanes(CHAIN, WP01=Lane.DONE), DONE) == ["WP02"]
    assert dependency_graph.in_motion(packages(CHAIN), lanes(CHAIN, WP01=Lane.APPROVED), DONE) == ["WP01"]


def test_what_is_past_its_start_continues_whatever_its_dependencies_are() -> None:
    assert dependency_graph.in_motion(packages(CHAIN), lanes(CHAIN, WP02=Lane.FOR_REVIEW), DONE) == [
        "WP01",
        "WP02",
    ]


def test_a_cycle_is_named_with_all_its_members() -> None:
    found = dependency_graph.cycle(
        packages({"WP01": ["WP03"], "WP02": ["WP01"], "WP03": ["WP02"], "WP04": []})
    )
    assert found[0] == found[-1]
    assert set(found) == {"WP01", "WP02", "WP03"}
    assert dependency_graph.cycle(packages(CHAIN)) == ()


def test_a_work_package_that_depends_on_itself_is_a_cycle() -> None:
    assert dependency_graph.cycle(packages({"WP01": ["WP01"]})) == ("WP01", "WP01")


def test_what_waits_says_on_what_and_why() -> None:
    waiting = dependency_graph.stuck(
        packages(CHAIN), lanes(CHAIN, WP01=Lane.BLOCKED), DONE, {"WP01": "blocked: tests fail"}
    )
    assert [str(one) for one in waiting] == [
        "WP02 waits on WP01 (blocked: tests fail)",
        "WP03 waits on WP02 (planned)",
    ]


def test_an_unknown_dependency_is_named_as_such() -> None:
    strange = {"WP01": ["WP99"]}
    waiting = dependency_graph.stuck(packages(strange), lanes(strange), DONE, {})
    assert str(waiting[0]) == "WP01 waits on WP99 (not in this mission)"


def test_waves_are_the_earliest_rounds() -> None:
    diamond = {"WP01": [], "WP02": ["WP01"], "WP03": ["WP01"], "WP04": ["WP02", "WP03"]}
    assert dependency_graph.waves(packages(diamond), []) == [["WP01"], ["WP02", "WP03"], ["WP04"]]
    assert dependency_graph.waves(packages(diamond), ["WP01", "WP02"]) == [["WP03"], ["WP04"]]


def test_a_way_is_the_longest_one_to_the_end() -> None:
    seconds = {"WP01": 1.0, "WP02": 5.0, "WP03": 2.0, "WP04": 9.0}
    ways = dependency_graph.longest_ways(packages({**CHAIN, "WP04": []}), seconds)
    assert ways == {"WP01": 8.0, "WP02": 7.0, "WP03": 2.0, "WP04": 9.0}


@st.composite
def acyclic(draw: st.DrawFn) -> dict[str, list[str]]:
    ids = [f"WP{number:02}" for number in range(1, draw(st.integers(1, 12)) + 1)]
    return {
        wp: draw(st.lists(st.sampled_from(ids[:index]), unique=True, max_size=4)) if index else []
        for index, wp in enumerate(ids)
    }


@given(acyclic())
def test_waves_hold_every_id_once_and_after_what_it_depends_on(dependencies: dict[str, list[str]]) -> None:
    rounds = dependency_graph.waves(packages(dependencies), [])
    at = {wp: index for index, wave in enumerate(rounds) for wp in wave}
    assert sorted(at) == sorted(dependencies)
    assert sum(map(len, rounds)) == len(dependencies)
    assert all(at[wp] > at[name] for wp, names in dependencies.items() for name in names)
    ways = dependency_graph.longest_ways(packages(dependencies), dict.fromkeys(dependencies, 1.0))
    assert max(ways.values()) == len(rounds)
