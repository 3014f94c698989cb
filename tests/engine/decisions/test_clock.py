"""Time that was worked goes by a clock that nobody sets, a reset that is named by the time of day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import AttemptEnded, AttemptStarted, Event, FamilyAwaited, RunEnded
from kitty_run.engine.work_clock import BEAT, WorkClock
from kitty_run.errors import ExitStatus
from kitty_run.profile.limits import Limits
from kitty_run.profile.model import Action, Backoff, RetryRow
from kitty_run.simulation.clock import VirtualTimeLoop
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import START, Did, Job, World, good

HOUR = 3600.0
JUMPS = [timedelta(hours=48), timedelta(hours=-48)]


def putting(jump: timedelta, when: type[Event]) -> Callable[[World, Event, Session], None]:
    """Sets the clock by `jump` at the first such event."""
    done = False

    def follow(world: World, event: Event, _: Session) -> None:
        nonlocal done
        if isinstance(event, when) and not done:
            done = True
            world.clock += jump

    return follow


@pytest.mark.parametrize("jump", JUMPS, ids=["forward", "back"])
@pytest.mark.parametrize("kills", [0, 1, 2])
def test_a_clock_that_is_set_uses_up_no_time(tmp_path: Path, jump: timedelta, kills: int) -> None:
    def script(job: Job) -> Did:
        return replace(good(job), seconds=600.0)

    made = replace(profiles.profile(), limits=Limits(wall_clock=HOUR))
    world = World(tmp_path, {"WP01": [], "WP02": ["WP01"]}, profile=made, script=script)
    world.on_event = putting(jump, AttemptStarted)
    for _ in range(kills):
        assert run_and_kill(world, lambda event, _: isinstance(event, AttemptEnded))
    report = world.run()
    assert report.exit_status is ExitStatus.OK, "40 minutes of 60 were worked"
    assert report.limits == ()


def test_the_sessions_together_are_held_to_the_limit(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return replace(good(job), seconds=1800.0)

    made = replace(profiles.profile(), limits=Limits(wall_clock=HOUR))
    world = World(tmp_path, {"WP01": [], "WP02": ["WP01"]}, profile=made, script=script)
    world.on_event = putting(timedelta(hours=-48), AttemptStarted)
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptEnded))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert [limit.key for limit in report.limits] == ["limits.wall_clock"]
    (end,) = world.events(RunEnded)
    assert end.seconds == pytest.approx(1800, abs=5)


@pytest.mark.parametrize(
    ("jump", "waited"), [(timedelta(hours=2), HOUR), (timedelta(hours=-2), 5 * HOUR)], ids=["forward", "back"]
)
def test_a_named_reset_goes_by_the_time_of_day(tmp_path: Path, jump: timedelta, waited: float) -> None:
    """Limited until three o'clock: whoever sets the clock meanwhile waits until it shows that."""
    until = (START + timedelta(hours=3)).isoformat()

    def script(job: Job) -> Did:
        return job.limited(until) if job.role == "implement" and job.attempt == 1 else good(job)

    made = profiles.profile()
    row = RetryRow(Action.WAIT, 8, Backoff(30.0), Action.BLOCK)
    made = replace(made, retry=replace(made.retry, agent={**made.retry.agent, "rate_limited": row}))
    world = World(tmp_path, {"WP01": []}, profile=made, script=script)
    world.on_event = putting(jump, FamilyAwaited)
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    assert report.seconds == pytest.approx(waited, abs=60)


@pytest.mark.parametrize("kills", [0, 1])
@pytest.mark.parametrize("stop", [90.0, 2 * HOUR])
def test_time_in_which_the_runner_was_stopped_is_not_worked(tmp_path: Path, stop: float, kills: int) -> None:
    def script(job: Job) -> Did:
        return replace(good(job), seconds=600.0)

    def stopping(world: World, event: Event, _: Session) -> None:
        if isinstance(event, AttemptStarted):
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualTimeLoop)
            loop.call_later(300.0, loop.stop_for, stop)

    made = replace(profiles.profile(), limits=Limits(wall_clock=HOUR))
    world = World(tmp_path, {"WP01": [], "WP02": ["WP01"]}, profile=made, script=script)
    world.on_event, world.beat = stopping, BEAT
    for _ in range(kills):
        assert run_and_kill(world, lambda event, _: isinstance(event, AttemptEnded))
    report = world.run()
    assert report.exit_status is ExitStatus.OK, "40 minutes of 60 were worked"
    worked = sum(event.seconds for event in world.events(RunEnded))
    assert 1200 - 300 * kills <= worked <= 2400 - 600 * kills


def test_a_clock_of_work_counts_only_what_it_could_look_at() -> None:
    now = 100.0
    clock = WorkClock(lambda: now)

    async def session() -> None:
        nonlocal now
        async with clock.looking():
            for passed in (BEAT, BEAT + 0.5, HOUR, 1.0):
                now += passed
                clock()
        now += HOUR

    asyncio.run(session())
    assert clock() == pytest.approx(3 * BEAT + 1.5 + HOUR), "nobody looks before and after the session"
