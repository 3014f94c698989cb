"""Limits: what a run may use, kept, and gone on from with higher ones; in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.end_codes import Result
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptProcess,
    AttemptStarted,
    Event,
    LimitReached,
    WpMoved,
)
from kitty_run.engine.state.gate_answers import Answer, give
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.limits import Allowance, Limits
from kitty_run.profile.model import Action, Backoff, RetryRow
from kitty_run.simulation.kill import run_and_kill

from tests.engine.metering import HOUR, limits_told, metered, metering, started
from tests.engine.world import Did, FakeWorkspace, Job, World, good

PAIR = {"WP01": [], "WP02": ["WP01"]}


WIDE = {"WP01": [], "WP02": [], "WP03": []}


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        (Limits(cost_usd=3), "limits.cost_usd"),
        (Limits(tokens=300), "limits.tokens"),
        (Limits(attempts=3), "limits.attempts"),
        (Limits(wall_clock=2.5), "limits.wall_clock"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_run_at_a_limit_starts_nothing_more_and_continues_with_a_higher_one(
    limits: Limits, key: str, tmp_path: Path
) -> None:
    world = metered(tmp_path, PAIR)
    world.change(limits=limits)
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert limits_told(report) == [(key, None)]
    assert started(world) == 3
    assert [event.limit for event in world.events(LimitReached)] == [key]
    again = world.run()
    assert (again.exit_status, started(world)) == (ExitStatus.PAUSED, 3), "no limit is given a second time"
    world.change(limits=Limits(10, 1000, 100, 10))
    assert world.run().exit_status is ExitStatus.OK
    assert started(world) == 4
    assert Lane.BLOCKED not in {event.lane for event in world.events(WpMoved)}


def test_attempts_are_never_more_than_allowed_however_many_start_at_once(tmp_path: Path) -> None:
    world = metered(tmp_path, {f"WP{number:02}": [] for number in range(1, 9)})
    world.change(limits=Limits(attempts=3), concurrency=replace(world.profile.concurrency, work_packages=8))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert started(world) == 3
    assert world.peak == 3


def test_attempts_that_are_prepared_at_once_are_not_more_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the limits and the start there are calls of git, which take their time."""
    head = FakeWorkspace.head

    async def slow_head(workspace: FakeWorkspace) -> str:
        await asyncio.sleep(0.5)
        return await head(workspace)

    monkeypatch.setattr(FakeWorkspace, "head", slow_head)
    world = metered(tmp_path, WIDE)
    world.change(limits=Limits(attempts=2))
    assert world.run().exit_status is ExitStatus.PAUSED
    assert started(world) == 2


def test_a_review_that_nothing_is_left_for_is_not_claimed(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.change(limits=Limits(work_package=Allowance(attempts=1)))
    assert world.run().left == {"WP01": "for_review"}


def test_what_runs_when_a_limit_is_reached_is_let_finish_and_handed_in(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return replace(good(job), seconds=1.0 if job.wp == "WP01" else 500.0)

    world = metered(tmp_path, WIDE)
    world.script = metering(script)  # type: ignore[assignment]
    world.change(limits=Limits(cost_usd=1))
    world.run()
    ends = {str(event.wp): event.ending for event in world.events(AttemptEnded)}
    assert ends == dict.fromkeys(WIDE, "exit")
    assert world.lanes() == dict.fromkeys(WIDE, Lane.FOR_REVIEW)


def test_a_mission_that_ends_just_at_its_limit_is_finished(tmp_path: Path) -> None:
    world = metered(tmp_path, PAIR)
    world.change(limits=Limits(4, 400, attempts=4))
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    assert report.merged
    assert (report.reason, report.limits, report.left) == ("", (), {})


def test_a_limit_does_not_stop_the_merge_that_waits_for_a_person(tmp_path: Path) -> None:
    world = metered(tmp_path, PAIR)
    world.change(limits=Limits(4, 400, 3.5, 4), gates=("merge",))
    assert "gate merge" in world.run().reason
    give(world.place, "merge", Answer(True, "mia"))
    assert world.run().exit_status is ExitStatus.OK


@pytest.mark.parametrize("waiting", ["backoff", "family"])
def test_time_that_passes_while_everything_waits_ends_the_waiting(waiting: str, tmp_path: Path) -> None:
    action = Action.WAIT if waiting == "family" else Action.RETRY
    world = World(tmp_path, {"WP01": [], "WP02": []}, script=lambda job: job.fail())
    row = RetryRow(action, 9, Backoff(5 * HOUR, 1.0), Action.BLOCK)
    world.change(limits=Limits(wall_clock=HOUR), retry=replace(world.profile.retry, agent={"default": row}))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert report.seconds == pytest.approx(HOUR, abs=1)
    assert {one.result for one in report.work_packages.values()} == {Result.PAUSED}
    assert set(world.lanes().values()) == {Lane.IN_PROGRESS}


def test_time_is_that_of_all_sessions_together(tmp_path: Path) -> None:
    slow = {"WP01": [], "WP02": ["WP01"], "WP03": ["WP02"]}
    world = World(tmp_path, slow, script=lambda job: replace(good(job), seconds=100.0))
    world.change(limits=Limits(wall_clock=350.0))
    world.on_event = interrupt_at("verdict.given")
    assert world.run().exit_status is ExitStatus.INTERRUPTED  # after 200 seconds
    world.on_event = None
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert report.seconds == pytest.approx(200.0)  # 150 are left, and what runs then is let finish
    assert report.limits[0].used == pytest.approx(400.0)
    assert world.lanes()["WP02"] is Lane.DONE


def interrupt_at(type_: str) -> object:
    return lambda _, event, session: session.interrupt() if type_ == event.TYPE else None


def test_a_killed_session_counts_until_its_last_word(tmp_path: Path) -> None:
    world = World(tmp_path, PAIR, script=lambda job: replace(good(job), seconds=100.0))
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptStarted) and event.wp == "WP02")
    world.change(limits=Limits(wall_clock=250.0))
    report = world.run()  # 200 seconds are used: implementing is let finish, reviewing is not begun
    assert report.exit_status is ExitStatus.PAUSED
    assert report.limits[0].used == pytest.approx(300.0)
    assert report.left == {"WP02": "for_review"}


def test_an_attempt_that_was_killed_or_interrupted_cost_nobody_knows_what(tmp_path: Path) -> None:
    world = metered(tmp_path, {"WP01": []})
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptProcess))
    world.on_event = twice_at("attempt.process")
    report = world.run()
    assert report.exit_status is ExitStatus.INTERRUPTED
    assert str(report.cost) == "unknown"
    world.on_event = None
    report = world.run()
    assert str(report.cost) == "at least 2.00 USD, 2 attempts unknown"
    assert report.unknown_tokens == 2


def twice_at(type_: str) -> object:
    def twice(_: World, event: Event, session: Session) -> None:
        if type_ == event.TYPE:
            session.interrupt()
            session.interrupt()

    return twice


def test_a_limit_pauses_the_run_whatever_else_is_blocked(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return job.idle() if job.wp == "WP01" else good(job)

    world = World(tmp_path, {"WP01": [], "WP02": []}, script=script)
    world.change(limits=Limits(work_package=Allowance(attempts=2)))
    world.change(retry=replace(world.profile.retry, agent={"default": RetryRow(Action.BLOCK)}))
    report = world.run()
    assert report.work_packages["WP01"].result is Result.BLOCKED
    assert report.exit_status is ExitStatus.INCOMPLETE, "WP02 needed no more than it may use"
    world = World(tmp_path / "again", {"WP01": [], "WP02": []}, script=script)
    world.change(retry=replace(world.profile.retry, agent={"default": RetryRow(Action.BLOCK)}))
    world.change(limits=Limits(work_package=Allowance(attempts=1)))
    report = world.run()
    assert report.work_packages["WP01"].result is Result.BLOCKED
    assert report.work_packages["WP02"].result is Result.PAUSED
    assert report.exit_status is ExitStatus.PAUSED


def test_the_time_limit_ends_the_asking_at_a_terminal(tmp_path: Path) -> None:
    class Away:
        async def ask(self, gate: str, about: str) -> Answer:
            await asyncio.sleep(1e6)
            return Answer(True)

    world = World(tmp_path, {"WP01": [], "WP02": []})
    world.asker = Away()
    world.change(gates=("done",), limits=Limits(wall_clock=HOUR))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert report.seconds < HOUR + 5
    assert "limits.wall_clock" in report.reason


def test_a_wait_of_the_clock_is_no_longer_than_the_run(tmp_path: Path) -> None:
    world = World(tmp_path, PAIR)
    world.change(limits=Limits(wall_clock=100 * HOUR))
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    last, first = world.entries()[-1].at, world.entries()[0].at
    assert last - first < timedelta(minutes=1)
