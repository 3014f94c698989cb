"""How far each work package is from the end, by what attempts took so far."""

from __future__ import annotations

from kitty_run.engine.estimates import ways_left
from kitty_run.engine.memory import WorkPackageMemory
from kitty_run.host.model import Lane, WorkPackage

PACKAGES = tuple(
    WorkPackage(wp, Lane.PLANNED, names)
    for wp, names in {"WP01": (), "WP02": (), "WP03": ("WP02",), "WP04": ()}.items()
)
PLANNED = {package.id: Lane.PLANNED for package in PACKAGES}


def took(implement: float, review: float | None = None) -> WorkPackageMemory:
    seconds = {"implement": implement} | ({} if review is None else {"review": review})
    return WorkPackageMemory(seconds=seconds)


def test_without_measures_only_what_follows_counts() -> None:
    assert ways_left(PACKAGES, PLANNED, {}) == {"WP01": 1.0, "WP02": 2.0, "WP03": 1.0, "WP04": 1.0}


def test_an_unknown_work_package_takes_the_mean_and_a_known_one_what_it_took() -> None:
    ways = ways_left(PACKAGES, PLANNED, {"WP01": took(500.0, 20.0), "WP04": took(100.0, 40.0)})
    assert ways == {"WP01": 520.0, "WP02": 660.0, "WP03": 330.0, "WP04": 140.0}


def test_what_is_done_takes_no_more_time_and_what_is_handed_in_only_its_review() -> None:
    lanes = PLANNED | {"WP01": Lane.DONE, "WP02": Lane.FOR_REVIEW}
    ways = ways_left(PACKAGES, lanes, {"WP01": took(100.0, 10.0)})
    assert ways == {"WP02": 120.0, "WP03": 110.0, "WP04": 110.0}


def test_what_can_never_run_is_left_out() -> None:
    circle = (WorkPackage("WP01", Lane.PLANNED, ("WP02",)), WorkPackage("WP02", Lane.PLANNED, ("WP01",)))
    assert ways_left(circle, PLANNED, {}) == {}
