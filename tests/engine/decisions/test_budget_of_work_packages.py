"""The limits of a work package of its own, and what is said of limits; in virtual time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.end_codes import Result
from kitty_run.engine.state.events import (
    Notice,
    RunEnded,
)
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.limits import Allowance, Limits
from kitty_run.profile.model import Action, Backoff, RetryRow

from tests.engine.metering import HOUR, limits_told, metered, metering, started
from tests.engine.world import Did, Job, World, good

PAIR = {"WP01": [], "WP02": ["WP01"]}


def test_a_work_package_at_its_own_limit_does_not_wait_for_a_limited_agent_first(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, script=lambda job: job.fail())
    row = RetryRow(Action.WAIT, 9, Backoff(5 * HOUR, 1.0), Action.BLOCK)
    own = Allowance(attempts=1)
    world.change(limits=Limits(work_package=own), retry=replace(world.profile.retry, agent={"default": row}))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert report.seconds < HOUR


OWN = [
    (Allowance(cost_usd=2), "cost_usd"),
    (Allowance(tokens=200), "tokens"),
    (Allowance(attempts=2), "attempts"),
    (Allowance(wall_clock=2.0), "wall_clock"),
]


@pytest.mark.parametrize(("own", "key"), OWN, ids=[key for _, key in OWN])
def test_a_work_package_at_its_own_limit_pauses_and_the_others_go_on(
    own: Allowance, key: str, tmp_path: Path
) -> None:
    def script(job: Job) -> Did:
        return job.fail() if job.wp == "WP01" and job.attempt <= 2 else good(job)

    dependencies = {"WP01": [], "WP02": ["WP01"], "WP03": [], "WP04": ["WP03"]}
    world = metered(tmp_path, dependencies)
    world.script = metering(script)  # type: ignore[assignment]
    world.change(limits=Limits(work_package=own))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert limits_told(report) == [(f"limits.work_package.{key}", "WP01")]
    assert {wp: one.result for wp, one in report.work_packages.items()} == {
        "WP01": Result.PAUSED,
        "WP02": Result.WAITING,
        "WP03": Result.DONE,
        "WP04": Result.DONE,
    }
    assert world.lanes()["WP01"] is Lane.IN_PROGRESS
    assert started(world, "WP01") == 2
    assert world.run().exit_status is ExitStatus.PAUSED
    assert started(world, "WP01") == 2
    world.change(limits=Limits(work_package=Allowance(9, 900, 9.0, 9)))
    assert world.run().exit_status is ExitStatus.OK


def test_the_time_of_a_work_package_is_that_of_its_attempts_alone(tmp_path: Path) -> None:
    """Backoff and waiting for a place don't count; an attempt that was killed does, as far as it got."""
    world = World(tmp_path, {"WP01": []}, script=lambda job: replace(job.fail(), seconds=10.0))
    row = RetryRow(Action.RETRY, 9, Backoff(HOUR, 1.0), Action.BLOCK)
    own = Allowance(wall_clock=30.0)
    world.change(limits=Limits(work_package=own), retry=replace(world.profile.retry, agent={"default": row}))
    assert world.run().limits[0].used == pytest.approx(30.0)
    assert started(world) == 3


def test_the_end_says_which_limit_what_it_cost_what_is_left_and_what_to_do(tmp_path: Path) -> None:
    world = metered(tmp_path, {"WP01": [], "WP02": ["WP01"], "WP03": ["WP02"]}, blind=("bob",))
    world.change(limits=Limits(cost_usd=2))
    report = world.run()
    assert report.reason == (
        "limits.cost_usd: 2.00 of 2.00 USD used\n"
        "spent so far: 3 attempts, cost at least 2.00 USD, 1 attempt unknown\n"
        "left: WP02 (for_review), WP03 (planned)\n"
        "Raise limits.cost_usd and run the same command again: it continues from here."
    )
    (ended,) = world.events(RunEnded)
    assert ended.reason == report.reason
    assert (ended.cost_usd, ended.known_cost_usd, ended.unknown_costs) == (None, 2.0, 1)
    assert ended.left == {"WP02": "for_review", "WP03": "planned"}


def test_every_limit_that_is_reached_is_named(tmp_path: Path) -> None:
    world = metered(tmp_path, PAIR)
    world.change(limits=Limits(2, 200, work_package=Allowance(attempts=1)))
    report = world.run()
    assert limits_told(report) == [("limits.work_package.attempts", "WP01")]
    world.change(limits=Limits(1, 100, work_package=Allowance(attempts=1)))
    report = world.run()
    assert limits_told(report) == [
        ("limits.cost_usd", None),
        ("limits.tokens", None),
        ("limits.work_package.attempts", "WP01"),
    ]
    assert "Raise limits.cost_usd and limits.tokens and limits.work_package.attempts" in report.reason


def test_a_run_says_at_its_start_what_its_limits_do_not_see(tmp_path: Path) -> None:
    world = metered(tmp_path, {"WP01": []}, blind=("bob",))
    world.change(limits=Limits(cost_usd=100, tokens=10_000, attempts=9))
    assert world.run().exit_status is ExitStatus.OK
    told = [event.text for event in world.events(Notice)]
    assert [text.split(",")[0] for text in told] == [
        "limits.cost_usd does not see what bob used",
        "limits.tokens does not see what bob used",
    ]
