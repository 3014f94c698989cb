"""Agents that fail as soon as they are started: waits grow, and the whole family is held up at last."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.decisions.fast_failures import NO_PACE, Pace, pace
from kitty_run.engine.decisions.retry import Decision
from kitty_run.engine.state.events import AttemptStarted, FamilyLimited, RetryDecided
from kitty_run.errors import ExitStatus
from kitty_run.profile.limits import Limits
from kitty_run.profile.model import Action, Backoff, FailureClass, FastFailures, Profile, RetryRow
from kitty_run.report.live import Live
from kitty_run.report.status import follow
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import Did, Job, World, good

RULE = FastFailures(5.0, Backoff(2.0, 2.0, 300.0), 4)
EAGER = RetryRow(Action.RETRY, 200, then=Action.BLOCK)
"""Two hundred repeats without any wait."""


def profile(row: RetryRow = EAGER, rule: FastFailures | None = RULE, work_packages: int = 4) -> Profile:
    made = profiles.profile(work_packages=work_packages)
    agent = {**made.retry.agent, "default": row, "no_changes": row}
    return replace(made, retry=replace(made.retry, agent=agent), fast_failures=rule)


def dying(seconds: float = 0.2, times: int = 1000) -> Callable[[Job], Did]:
    """Ends `seconds` after its start, so many times in all."""
    count = 0

    def script(job: Job) -> Did:
        nonlocal count
        if job.role == "review" or count >= times:
            return good(job)
        count += 1
        return Did(1, seconds=seconds)

    return script


def starts(world: World) -> list[float]:
    began = world.entries()[0].at
    return [
        (entry.at - began).total_seconds()
        for entry in world.entries()
        if isinstance(entry.event, AttemptStarted)
    ]


def test_two_hundred_starts_become_a_handful(tmp_path: Path) -> None:
    limits = Limits(wall_clock=43)
    world = World(tmp_path, {"WP01": []}, profile=replace(profile(), limits=limits), script=dying())
    assert world.run().exit_status is ExitStatus.PAUSED
    assert starts(world) == pytest.approx([0, 2.2, 6.4, 14.6, 30.8], abs=0.1)


@pytest.mark.heavy
def test_without_the_rule_there_is_no_floor(tmp_path: Path) -> None:
    limits = Limits(wall_clock=43)
    world = World(tmp_path, {"WP01": []}, profile=replace(profile(rule=None), limits=limits), script=dying())
    world.run()
    assert len(starts(world)) > 200


def test_the_family_is_held_up_for_all_work_packages(tmp_path: Path) -> None:
    limits = Limits(wall_clock=60)
    wide = {f"WP{number:02}": [] for number in range(1, 7)}
    made = replace(profile(work_packages=6), limits=limits)
    world = World(tmp_path, wide, profile=made, script=dying())
    world.run()
    assert len(starts(world)) <= 24, "six at first, and each once more after each of the waits"
    opened = world.events(FamilyLimited)
    assert [event.fast_failures for event in opened][:1] == [4]
    assert opened[0].reason.startswith(
        "4 attempts in a row failed almost at once, the last of: exit status 1"
    )
    until = world.entries()[0].at
    for entry in world.entries():
        if isinstance(entry.event, FamilyLimited):
            until = entry.event.until
        assert not (isinstance(entry.event, AttemptStarted) and entry.at < until)


def test_what_works_again_is_started_as_before(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": [], "WP02": ["WP01"]}, profile=profile(), script=dying(times=5))
    assert world.run().exit_status is ExitStatus.OK
    decided = [event.fast_failures for event in world.events(RetryDecided)]
    assert decided == [1, 2, 3, 4, 5]
    ada = [entry.at for entry in world.entries() if isinstance(entry.event, AttemptStarted)][5:]
    assert (ada[-1] - ada[0]).total_seconds() < 10


def test_success_ends_the_row(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return Did(1, seconds=0.1) if job.role == "implement" and job.attempt == 1 else good(job)

    chain = {"WP01": [], "WP02": ["WP01"], "WP03": ["WP02"]}
    world = World(tmp_path, chain, profile=profile(), script=script)
    assert world.run().exit_status is ExitStatus.OK
    assert [event.fast_failures for event in world.events(RetryDecided)] == [1, 1, 1]


def test_a_slow_failure_ends_the_row_and_waits_as_its_row_says(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.role == "review" or job.attempt > 4:
            return good(job)
        return Did(1, seconds=60.0 if job.attempt == 3 else 0.1)

    world = World(tmp_path, {"WP01": []}, profile=profile(), script=script)
    assert world.run().exit_status is ExitStatus.OK
    decided = world.events(RetryDecided)
    assert [(event.fast_failures, event.wait) for event in decided] == [(1, 2), (2, 4), (0, 0), (1, 2)]


def test_agents_that_end_well_at_once_and_change_nothing_are_fast_failures(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return Did(seconds=0.1) if job.role == "implement" and job.attempt < 4 else good(job)

    world = World(tmp_path, {"WP01": []}, profile=profile(), script=script)
    assert world.run().exit_status is ExitStatus.OK
    assert [(event.key, event.wait) for event in world.events(RetryDecided)] == [
        ("no_changes", 2.0),
        ("no_changes", 4.0),
        ("no_changes", 8.0),
    ]


def test_the_row_outlives_the_runner(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, profile=profile(), script=dying(times=6))
    assert run_and_kill(world, lambda event, _: isinstance(event, FamilyLimited))
    until = world.events(FamilyLimited)[0].until
    assert world.run().exit_status is ExitStatus.OK
    after = [one.at for one in world.entries() if isinstance(one.event, AttemptStarted)][4]
    assert after >= until
    assert [event.fast_failures for event in world.events(RetryDecided)] == [1, 2, 3, 4, 5, 6]


def test_a_longer_wait_of_the_row_holds(tmp_path: Path) -> None:
    row = RetryRow(Action.RETRY, 3, Backoff(30.0), Action.BLOCK)
    world = World(tmp_path, {"WP01": []}, profile=profile(row), script=dying(times=1))
    assert world.run().exit_status is ExitStatus.OK
    assert [event.wait for event in world.events(RetryDecided)] == [30.0]


def test_another_agent_takes_over_without_waiting(tmp_path: Path) -> None:
    made = profiles.profile(implement=("ada", "cid"))
    row = RetryRow(Action.FALLBACK)
    retry = replace(made.retry, agent={**made.retry.agent, "default": row})
    world = World(
        tmp_path, {"WP01": []}, profile=replace(made, retry=retry, fast_failures=RULE), script=dying(times=1)
    )
    assert world.run().exit_status is ExitStatus.OK
    assert starts(world)[1] < 1


def test_live_view_and_status_say_why_it_waits(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, profile=profile(), script=dying(times=5))
    world.run()
    stream = io.StringIO()
    live = Live(stream, env={})
    for entry in world.entries():
        live.show(entry)
    text = stream.getvalue()
    assert "failed: once more, 2.0 s from now" in text
    assert "family ada is limited until" in text
    assert "4 attempts in a row failed almost at once" in text
    opened = next(at for at, one in enumerate(world.entries()) if isinstance(one.event, FamilyLimited))
    status = follow("run-1", world.entries()[: opened + 1])
    assert status.limited["ada"][FailureClass.FAILED] == world.events(FamilyLimited)[0].until


@pytest.mark.parametrize(
    ("before", "seconds", "expected"),
    [
        (0, 0.1, Pace(1, 2.0, opens=False)),
        (3, 4.9, Pace(4, 16.0, opens=True)),
        (50, 0.0, Pace(51, 300.0, opens=True)),
        (7, 5.0, NO_PACE),
        (7, None, Pace(7)),
    ],
)
def test_the_pace(before: int, seconds: float | None, expected: Pace) -> None:
    assert pace(RULE, before, seconds) == expected


def test_only_what_starts_the_same_agent_again_waits() -> None:
    for action in Action:
        waits = action in {Action.RETRY, Action.WAIT, Action.REFRESH, Action.REWORK}
        assert Pace(1, 9.0).applied(Decision(action)).wait == (9.0 if waits else 0.0)
