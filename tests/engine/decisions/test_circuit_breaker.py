"""One breaker per agent family: while it is limited, work packages wait or fall back, and none starts it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from kitty_run.engine.decisions.circuit_breaker import UNNAMED, Limited, limited_for
from kitty_run.engine.decisions.retry import decide
from kitty_run.engine.lifecycle.attempts.agent_choice import Candidate, first_free, soonest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import (
    AttemptStarted,
    Event,
    FamilyAwaited,
    FamilyLimited,
    RetryDecided,
)
from kitty_run.errors import ExitStatus
from kitty_run.git.protocols import Diff
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action, Backoff, Concurrency, FailureClass, Limits, Profile, RetryRow
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import START, Did, FakeWorkspace, Job, Script, World, good

WIDE = {f"WP{number:02}": [] for number in range(1, 7)}
HOUR = 3600.0
FALLBACK = RetryRow(Action.FALLBACK)
WAIT = RetryRow(Action.WAIT, 8, Backoff(30.0), Action.FALLBACK)


def told(seconds: float) -> str:
    """The moment so long after the world's beginning, as a service tells it."""
    return (START + timedelta(seconds=seconds)).isoformat()


def profile(
    row: RetryRow,
    work_packages: int = 2,
    implement: tuple[str, ...] = ("ada", "eve"),
    review: tuple[str, ...] = ("bob",),
) -> Profile:
    """Ada implements, and eve where she can't; `row` says what follows a limit."""
    made = profiles.profile(work_packages=work_packages, implement=implement, review=review)
    tables = replace(made.retry, agent={**made.retry.agent, "rate_limited": row, "overloaded": row})
    return replace(made, retry=tables)


def limits(*named: str, **until: float) -> Script:
    """A script in which each agent is limited until so many seconds; those `named` say until when."""

    def script(job: Job) -> Did:
        end = until.get(job.agent, 0.0)
        if job.now >= START + timedelta(seconds=end):
            return good(job)
        return job.limited(told(end) if job.agent in named else "")

    return script


def starts(world: World, agent: str, *, since: float = 0.0) -> list[float]:
    """When the agent's attempts started, in seconds since the world's beginning."""
    found = [
        (entry.at - START).total_seconds()
        for entry in world.entries()
        if isinstance(entry.event, AttemptStarted) and entry.event.agent == agent
    ]
    return [seconds for seconds in found if seconds >= since]


def test_one_start_finds_the_limit_and_all_others_fall_back_without_one(tmp_path: Path) -> None:
    world = World(tmp_path, WIDE, profile=profile(FALLBACK, 1), script=limits("ada", ada=HOUR))
    assert world.run().exit_status is ExitStatus.OK
    assert len(starts(world, "ada")) == 1
    assert len(starts(world, "eve")) == 6
    handed_over = [event for event in world.events(RetryDecided) if event.wp != "WP01"]
    assert {event.wp for event in handed_over} == set(WIDE) - {"WP01"}
    assert handed_over[0].reason == (
        "family ada is limited until 2030-01-01 01:00:00 UTC; eve takes its place"
    )


def test_after_the_limit_new_work_packages_take_the_first_agent_again(tmp_path: Path) -> None:
    world = World(tmp_path, WIDE, profile=profile(FALLBACK, 1), script=limits("ada", ada=7.0))
    assert world.run().exit_status is ExitStatus.OK
    agents = {job.wp: job.agent for job in world.jobs if job.role == "implement"}
    assert list(agents.values()) == ["eve", "eve", "eve", "ada", "ada", "ada"]


def test_who_fell_back_stays_with_its_fallback(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.agent == "ada" and job.now < START + timedelta(seconds=2):
            return job.limited(told(2))
        if job.role == "review" and job.cycle == 1:
            return job.verdict("changes_requested", seconds=100.0)
        return job.work(f"{job.attempt}") if job.role == "implement" else job.verdict()

    world = World(tmp_path, {"WP01": []}, profile=profile(FALLBACK), script=script)
    assert world.run().exit_status is ExitStatus.OK
    assert [job.agent for job in world.jobs] == ["ada", "eve", "bob", "eve", "bob"]


def test_the_table_says_wait_and_so_all_wait_however_long_and_whoever_else_there_is(tmp_path: Path) -> None:
    world = World(tmp_path, WIDE, profile=profile(WAIT), script=limits("ada", ada=5 * HOUR))
    assert world.run().exit_status is ExitStatus.OK
    assert starts(world, "eve") == []
    assert starts(world, "ada")[:2] == [0.0, 0.0]  # both places found the limit at once
    assert min(starts(world, "ada", since=1.0)) == 5 * HOUR


def test_repeats_that_are_used_up_lead_one_work_package_on_and_the_others_still_wait(tmp_path: Path) -> None:
    row = RetryRow(Action.WAIT, 1, Backoff(30.0), Action.FALLBACK)
    pair = {"WP01": [], "WP02": []}
    world = World(tmp_path, pair, profile=profile(row, 1), script=limits(ada=HOUR))
    assert world.run().exit_status is ExitStatus.OK
    assert [(job.wp, job.agent) for job in world.jobs] == [
        *[("WP01", "ada"), ("WP01", "ada"), ("WP01", "eve"), ("WP01", "bob")],
        *[("WP02", "ada"), ("WP02", "ada"), ("WP02", "eve"), ("WP02", "bob")],
    ]
    assert starts(world, "ada") == [0.0, 31.0, 92.0, 123.0]  # WP02 waits for the limit that WP01 left


def test_where_all_are_limited_the_first_that_comes_back_is_taken(tmp_path: Path) -> None:
    """WP01 tries them all, and is blocked as its table says; nobody else starts one, or is blocked."""
    pair = {"WP01": [], "WP02": []}
    script = limits("ada", "eve", ada=HOUR, eve=2 * HOUR)
    world = World(tmp_path, pair, profile=profile(FALLBACK, 1), script=script)
    world.run()
    assert world.lanes() == {"WP01": Lane.BLOCKED, "WP02": Lane.DONE}
    assert [(job.wp, job.agent) for job in world.jobs] == [
        *[("WP01", "ada"), ("WP01", "eve")],
        *[("WP02", "ada"), ("WP02", "bob")],
    ]
    assert starts(world, "ada") == [0.0, HOUR]


@pytest.mark.parametrize(
    ("candidates", "free", "first_back"),
    [
        ([("ada", 0, False)], 0, None),
        ([("ada", 100, True), ("eve", 0, False)], 1, None),
        ([("ada", 100, False), ("eve", 0, False)], None, "ada"),
        ([("ada", 100, True), ("eve", 50, True), ("zoe", 70, False)], None, "eve"),
        ([("ada", 100, True), ("eve", 200, False), ("zoe", 0, False)], None, "ada"),
        ([("ada", 300, True), ("eve", 200, False), ("zoe", 50, False)], None, "eve"),
        ([("ada", 100, True), ("eve", 200, True), ("zoe", 0, False)], 2, None),
    ],
)
def test_the_way_down_the_list_ends_at_the_agent_that_is_waited_for(
    candidates: list[tuple[str, float, bool]], free: int | None, first_back: str | None
) -> None:
    """Each candidate: how long its family is limited, and whether the table hands over."""
    made = [
        Candidate(
            name,
            name,
            Limited(START + timedelta(seconds=left), "rate_limited") if left else None,
            hands_over,
        )
        for name, left, hands_over in candidates
    ]
    assert first_free(made) == free
    if first_back is not None:
        assert soonest(made).agent == first_back


def test_agents_of_one_family_are_limited_together(tmp_path: Path) -> None:
    base = profile(FALLBACK, 1, implement=("ada", "ada-small", "eve"))
    small = replace(base.agents["ada-small"], family="ada")
    world = World(
        tmp_path,
        {"WP01": [], "WP02": []},
        profile=replace(base, agents={**base.agents, "ada-small": small}),
        script=limits("ada", ada=HOUR),
    )
    assert world.run().exit_status is ExitStatus.OK
    assert [job.agent for job in world.jobs if job.role == "implement"] == ["ada", "eve", "eve"]


def test_who_waits_for_a_place_turns_to_another_when_its_agent_becomes_limited(tmp_path: Path) -> None:
    base = replace(profile(FALLBACK, 6), concurrency=Concurrency(6, agents={"ada": 1}))
    world = World(tmp_path, WIDE, profile=base, script=limits("ada", ada=HOUR))
    assert world.run().exit_status is ExitStatus.OK
    assert len(starts(world, "ada")) == 1
    assert max(starts(world, "eve")) < 10


def test_a_limit_that_comes_while_an_attempt_is_prepared_keeps_it_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def diff(workspace: FakeWorkspace, *_: object) -> Diff:
        await asyncio.sleep(5.0 if workspace.path.name.endswith("WP02") else 0.0)
        return Diff("", False, (), "")

    monkeypatch.setattr(FakeWorkspace, "diff", diff)
    pair = {"WP01": [], "WP02": []}
    reviewed = profile(FALLBACK, review=("bob", "joe"))
    world = World(tmp_path, pair, profile=reviewed, script=limits("bob", bob=HOUR))
    assert world.run().exit_status is ExitStatus.OK
    assert [job.wp for job in world.jobs if job.agent == "bob"] == ["WP01"]
    assert [job.attempt for job in world.jobs if job.wp == "WP02"] == [1, 1]


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


def test_who_waits_is_told_once(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("row", "failure", "repeats", "until_reset", "seconds"),
    [
        (WAIT, "rate_limited", 0, None, 30.0),
        (WAIT, "rate_limited", 2, None, 120.0),
        (WAIT, "rate_limited", 0, 5000.0, 5000.0),
        (WAIT, "rate_limited", 8, 5000.0, 5000.0),  # used up, and limited nevertheless
        (WAIT, "rate_limited", 8, None, 30.0 * 2**8),
        (WAIT, "network", 0, None, 30.0),  # what the row says `wait` of concerns the family
        (replace(WAIT, backoff=Backoff()), "rate_limited", 8, None, UNNAMED),
        (replace(WAIT, backoff=Backoff()), "rate_limited", 0, None, 0.0),
        (FALLBACK, "rate_limited", 0, 5000.0, 5000.0),
        (FALLBACK, "rate_limited", 0, -3.0, UNNAMED),
        (FALLBACK, "rate_limited", 0, None, UNNAMED),
        (replace(FALLBACK, backoff=Backoff(45.0)), "overloaded", 0, None, 45.0),
        (FALLBACK, "auth", 0, None, 0.0),  # of no limit, and each finds out for itself
        (FALLBACK, "auth", 0, 60.0, 60.0),
        (RetryRow(Action.RETRY, 3, Backoff(5.0), Action.FALLBACK), "rate_limited", 3, 5000.0, 0.0),
        (RetryRow(Action.BLOCK), "rate_limited", 0, 5000.0, 0.0),
    ],
)
def test_how_long_a_family_is_limited(
    row: RetryRow, failure: str, repeats: int, until_reset: float | None, seconds: float
) -> None:
    decision = decide(row, repeats, until_reset=until_reset, fallback_left=True)
    found = limited_for(row, FailureClass(failure), decision, until_reset=until_reset, repeats=repeats)
    assert found == seconds
