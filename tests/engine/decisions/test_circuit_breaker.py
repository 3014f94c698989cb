"""One breaker per agent family: while it is limited, work packages wait or fall back, and none starts it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from kitty_run.engine.decisions.circuit_breaker import UNNAMED, Limited, limited_for
from kitty_run.engine.decisions.retry import decide
from kitty_run.engine.lifecycle.attempts.agent_choice import Candidate, first_free, soonest
from kitty_run.engine.state.events import (
    RetryDecided,
)
from kitty_run.errors import ExitStatus
from kitty_run.git.protocols import Diff
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action, Backoff, Concurrency, FailureClass, RetryRow

from tests.engine.decisions.limited_families import FALLBACK, HOUR, WAIT, WIDE, limits, profile, starts, told
from tests.engine.world import START, Did, FakeWorkspace, Job, World


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
