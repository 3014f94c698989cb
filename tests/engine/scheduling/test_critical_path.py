"""How far each work package is from the end, by what attempts took so far."""

from __future__ import annotations

from pathlib import Path

from kitty_run.engine.scheduling.critical_path import sizes, ways_left
from kitty_run.engine.state.work_package_memory import WorkPackageMemory
from kitty_run.host.model import Lane, WorkPackage

from tests.engine import profiles
from tests.engine.world import World

PACKAGES = tuple(
    WorkPackage(wp, Lane.PLANNED, names)
    for wp, names in {"WP01": (), "WP02": (), "WP03": ("WP02",), "WP04": ()}.items()
)
PLANNED = {package.id: Lane.PLANNED for package in PACKAGES}


def took(implement: float, review: float | None = None) -> WorkPackageMemory:
    seconds = {"implement": implement} | ({} if review is None else {"review": review})
    return WorkPackageMemory(seconds=seconds)


def test_without_measures_only_what_follows_counts() -> None:
    assert ways_left(PACKAGES, PLANNED, {}, {}, {}) == {"WP01": 1.0, "WP02": 2.0, "WP03": 1.0, "WP04": 1.0}


def test_an_unknown_work_package_takes_the_mean_and_a_known_one_what_it_took() -> None:
    ways = ways_left(PACKAGES, PLANNED, {"WP01": took(500.0, 20.0), "WP04": took(100.0, 40.0)}, {}, {})
    assert ways == {"WP01": 520.0, "WP02": 660.0, "WP03": 330.0, "WP04": 140.0}


def test_what_is_done_takes_no_more_time_and_what_is_handed_in_only_its_review() -> None:
    lanes = PLANNED | {"WP01": Lane.DONE, "WP02": Lane.FOR_REVIEW}
    ways = ways_left(PACKAGES, lanes, {"WP01": took(100.0, 10.0)}, {}, {})
    assert ways == {"WP02": 120.0, "WP03": 110.0, "WP04": 110.0}


def test_what_can_never_run_is_left_out() -> None:
    circle = (WorkPackage("WP01", Lane.PLANNED, ("WP02",)), WorkPackage("WP02", Lane.PLANNED, ("WP01",)))
    assert ways_left(circle, PLANNED, {}, {}, {}) == {}


def test_a_work_package_of_twice_the_subtasks_is_expected_to_take_twice_as_long() -> None:
    sizes = {"WP01": 0.5, "WP04": 1.5}
    assert ways_left(PACKAGES, PLANNED, {}, sizes, {}) == {"WP01": 0.5, "WP02": 2.0, "WP03": 1.0, "WP04": 1.5}
    ways = ways_left(PACKAGES, PLANNED, {"WP01": took(100.0, 10.0)}, sizes, {})
    assert ways == {"WP01": 110.0, "WP02": 420.0, "WP03": 210.0, "WP04": 310.0}


def test_sizes_are_read_from_the_prompt_files_and_those_without_subtasks_are_of_the_mean(
    tmp_path: Path,
) -> None:
    subtasks = {"WP01": 2, "WP02": 6}
    world = World(tmp_path, {"WP01": [], "WP02": [], "WP03": []}, subtasks=subtasks)
    packages = tuple(WorkPackage(wp, Lane.PLANNED) for wp in ("WP01", "WP02", "WP03", "WP04"))
    assert sizes(world.host, packages) == {"WP01": 0.5, "WP02": 1.5}


def test_the_largest_comes_first_where_slots_are_short(tmp_path: Path) -> None:
    subtasks = {"WP01": 2, "WP02": 3, "WP03": 8}
    profile = profiles.profile(work_packages=1)
    world = World(tmp_path, {wp: [] for wp in subtasks}, subtasks=subtasks, profile=profile)
    world.run()
    assert [job.wp for job in world.jobs if job.role == "implement"] == ["WP03", "WP02", "WP01"]


def test_work_packages_of_one_workspace_have_the_time_of_all_of_them_ahead() -> None:
    rooms = {"WP03": "lane-a", "WP04": "lane-a"}
    assert ways_left(PACKAGES, PLANNED, {}, {}, rooms) == {"WP01": 1.0, "WP02": 2.0, "WP03": 2.0, "WP04": 2.0}
