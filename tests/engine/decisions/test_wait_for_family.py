"""Waiting for a limited family costs nothing, outlives the runner, and ends with limits and interrupts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import Event, FamilyAwaited, FamilyLimited, RetryDecided
from kitty_run.errors import ExitStatus
from kitty_run.profile.limits import Limits
from kitty_run.profile.model import Action, RetryRow
from kitty_run.simulation.kill import run_and_kill

from tests.engine.decisions.limited_families import FALLBACK, HOUR, WAIT, WIDE, limits, profile, starts, told
from tests.engine.world import World, good


def test_the_table_says_wait_and_so_all_wait_however_long_and_whoever_else_there_is(tmp_path: Path) -> None:
    world = World(tmp_path, WIDE, profile=profile(WAIT), script=limits("ada", ada=5 * HOUR))
    assert world.run().exit_status is ExitStatus.OK
    assert starts(world, "eve") == []
    assert starts(world, "ada")[:2] == [0.0, 0.0]  # both places found the limit at once
    assert min(starts(world, "ada", since=1.0)) == 5 * HOUR


def test_waiting_is_no_attempt_and_uses_up_no_repeat(tmp_path: Path) -> None:
    """Each of the two that ran into the limit uses up one repeat; the four that waited use up nothing."""
    row = replace(WAIT, attempts=1, then=Action.BLOCK)
    world = World(tmp_path, WIDE, profile=profile(row), script=limits("ada", ada=HOUR))
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    assert Counter(event.wp for event in world.events(RetryDecided)) == {"WP01": 1, "WP02": 1}
    assert {wp: one.attempts for wp, one in report.work_packages.items()} == {
        wp: 3 if wp in {"WP01", "WP02"} else 2 for wp in WIDE
    }


def test_who_waits_is_written_once(tmp_path: Path) -> None:
    world = World(tmp_path, WIDE, profile=profile(WAIT), script=limits("ada", ada=5 * HOUR))
    world.run()
    assert [event.wp for event in world.events(FamilyAwaited)] == ["WP01", "WP02"]
    assert [event.until.isoformat() for event in world.events(FamilyLimited)] == [told(5 * HOUR)]


@pytest.mark.parametrize("row", [WAIT, FALLBACK], ids=["wait", "fallback"])
@pytest.mark.parametrize("stop", ["kill", "drain"])
def test_a_limit_outlives_the_runner(tmp_path: Path, row: RetryRow, stop: str) -> None:
    world = World(tmp_path, WIDE, profile=profile(row, 1), script=limits("ada", ada=5 * HOUR))
    if stop == "kill":
        assert run_and_kill(world, lambda event, _: isinstance(event, RetryDecided))
    else:
        world.on_event = drain_at("family.limited")
        assert world.run().exit_status is ExitStatus.INTERRUPTED
        world.on_event = None
    world.later(HOUR)
    assert world.run().exit_status is ExitStatus.OK
    assert (row is WAIT) == (starts(world, "ada")[1:] != [])
    assert all(seconds >= 5 * HOUR for seconds in starts(world, "ada")[1:])


def drain_at(type_: str) -> Callable[[World, Event, Session], None]:
    def follow(_: World, event: Event, session: Session) -> None:
        if type_ == event.TYPE:
            session.interrupt()

    return follow


def test_a_row_that_says_retry_is_how_a_person_tries_before_the_limit_is_over(tmp_path: Path) -> None:
    world = World(tmp_path, WIDE, profile=profile(WAIT, 1), script=limits("ada", ada=5 * HOUR))
    assert run_and_kill(world, lambda event, _: isinstance(event, RetryDecided))
    world.later(HOUR)
    world.script = good
    world.change(retry=profile(RetryRow(Action.RETRY)).retry)
    assert world.run().exit_status is ExitStatus.OK
    assert starts(world, "ada")[1] == pytest.approx(HOUR + 1, abs=5)


def test_a_limit_of_the_run_ends_the_waiting(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, profile=profile(WAIT), script=limits("ada", ada=300 * 24 * HOUR))
    world.change(limits=Limits(wall_clock=2 * HOUR))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert "limits.wall_clock" in report.work_packages["WP01"].reason
    assert 2 * HOUR <= report.seconds < 2 * HOUR + 60
    assert world.events(FamilyAwaited)[0].until.isoformat() == told(300 * 24 * HOUR)


def test_an_interrupt_ends_the_waiting(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, profile=profile(WAIT), script=limits("ada", ada=5 * HOUR))
    world.on_event = drain_at("family.awaited")
    report = world.run()
    assert report.exit_status is ExitStatus.INTERRUPTED
    assert report.seconds < 5


def test_who_waits_for_a_limited_reviewer_keeps_its_place_and_all_end(tmp_path: Path) -> None:
    world = World(tmp_path, WIDE, profile=profile(WAIT, 3), script=limits("bob", bob=HOUR))
    assert world.run().exit_status is ExitStatus.OK
    assert len(starts(world, "bob")) - len(starts(world, "bob", since=HOUR)) == 3
    assert world.peak == 3
