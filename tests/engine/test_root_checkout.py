"""What people do at the root checkout while a run is under way: calls wait for it, then the run pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import CallStarted, Event, Notice, RetryDecided
from kitty_run.errors import ExitStatus
from kitty_run.git.root_state import Dirt, RootState
from kitty_run.host.model import Lane

from tests.engine import profiles
from tests.engine.profiles import shipped
from tests.engine.world import World

LOCK = Path("/repo/.git/index.lock")
ELSEWHERE = RootState("theirs")
LOCKED = RootState("main", LOCK)
DETACHED = RootState(None)


def world(root: Path, dialect: str = "mission", shape: str | None = "lanes") -> World:
    made = profiles.profile()
    made = replace(made, retry=replace(made.retry, host=shipped().retry.host))
    return World(root, {"WP01": [], "WP02": ["WP01"]}, dialect=dialect, shape=shape, profile=made)


def disturb(
    it: World, at: str, how: Callable[[World], None], undo: Callable[[World], None], after: float
) -> None:
    """`how` is done once when the call `at` is announced for the first time, `undo` so many seconds later."""
    done: list[Event] = []

    def on_event(_: Any, event: Event, __: Session) -> None:
        if not done and isinstance(event, CallStarted) and event.operation == at:
            done.append(event)
            how(it)
            asyncio.get_running_loop().call_later(after, undo, it)

    it.on_event = on_event


def leave(state: RootState) -> Callable[[World], None]:
    def done(it: World) -> None:
        it.repository.root = state

    return done


def waits(it: World) -> list[str]:
    """What was told of the waits for the root."""
    decided = [one.reason for one in it.events(RetryDecided) if one.key.startswith("ROOT_")]
    return decided + [one.text for one in it.events(Notice) if one.text.startswith("waiting: ")]


MOMENTS = ["claim", "hand_in", "claim_review", "approve", "accept"]
SHAPES = [("mission", "lanes"), ("mission", "single_branch"), ("feature", None)]


@pytest.mark.parametrize("at", MOMENTS)
@pytest.mark.parametrize("state", [LOCKED, ELSEWHERE, DETACHED], ids=["lock", "branch", "detached"])
@pytest.mark.parametrize(("dialect", "shape"), SHAPES)
def test_calls_wait_for_it_by_name(
    tmp_path: Path, dialect: str, shape: str | None, state: RootState, at: str
) -> None:
    it = world(tmp_path, dialect, shape)
    if at == "claim_review" and dialect == "feature":
        at = "approve"
    disturb(it, at, leave(state), leave(RootState("main")), after=60)
    report = it.run()
    assert report.exit_status is ExitStatus.OK, report.reason
    assert len(it.jobs) == 4
    assert "block" not in it.operations()
    told = waits(it)
    assert told
    assert all(
        (str(LOCK) in one and "ps -ef" in one) if state is LOCKED else "switch main" in one for one in told
    )


@pytest.mark.parametrize("at", MOMENTS)
@pytest.mark.parametrize("state", [LOCKED, ELSEWHERE], ids=["lock", "branch"])
@pytest.mark.parametrize(("dialect", "shape"), SHAPES)
def test_what_does_not_end_pauses_and_a_later_run_continues(
    tmp_path: Path, dialect: str, shape: str | None, state: RootState, at: str
) -> None:
    it = world(tmp_path, dialect, shape)
    if at == "claim_review" and dialect == "feature":
        at = "approve"
    disturb(it, at, leave(state), leave(RootState("main")), after=10**6)
    report = it.run()
    assert report.exit_status is ExitStatus.PAUSED, report.reason
    told = "\n".join([report.reason, *(one.reason for one in report.work_packages.values())])
    assert ("rm /repo/.git/index.lock" if state is LOCKED else "switch main") in told
    assert "run the same command again" in told
    assert Lane.BLOCKED not in it.lanes().values()
    entries = it.entries()
    assert 200 <= (entries[-1].at - entries[0].at).total_seconds() <= 900
    it.on_event = None
    it.repository.root = RootState("main")
    again = it.run()
    assert again.exit_status is ExitStatus.OK, again.reason
    assert len(it.jobs) == 4


@pytest.mark.parametrize(("dialect", "shape"), SHAPES)
def test_no_call_is_made_on_another_branch(tmp_path: Path, dialect: str, shape: str | None) -> None:
    it = world(tmp_path, dialect, shape)
    disturb(it, "hand_in", leave(ELSEWHERE), leave(RootState("main")), after=10**6)
    it.run()
    assert it.operations()[-1] == "hand_in"


@pytest.mark.parametrize("shape", ["coord", "flat"])
def test_where_the_host_does_not_mind_the_branch_nothing_waits(tmp_path: Path, shape: str) -> None:
    it = world(tmp_path, shape=shape)
    disturb(it, "claim", leave(ELSEWHERE), leave(RootState("main")), after=10**6)
    assert it.run().exit_status is ExitStatus.OK
    assert waits(it) == []


DIRT = {
    "feature": [(Dirt(staged=("mine.txt",)), True), (Dirt(changed=("mine.txt",), untracked=("x",)), False)],
    "mission": [
        (Dirt(staged=("mine.txt",)), True),
        (Dirt(changed=("mine.txt",)), True),
        (Dirt(untracked=("mine.txt",)), False),
        (Dirt(changed=("kitty-specs/demo/status.json",)), False),
    ],
}


@pytest.mark.parametrize(
    ("dialect", "dirt", "refused"), [(name, *one) for name, cases in DIRT.items() for one in cases]
)
def test_a_merge_waits_for_changes_that_would_stop_it_and_pauses(
    tmp_path: Path, dialect: str, dirt: Dirt, refused: bool
) -> None:
    it = world(tmp_path, dialect, "lanes" if dialect == "mission" else None)

    def begin(it: World) -> None:
        it.repository.uncommitted = dirt

    disturb(it, "approve", begin, lambda _: None, after=1)
    report = it.run()
    assert report.exit_status is (ExitStatus.PAUSED if refused else ExitStatus.OK), report.reason
    assert ("merge" in it.operations()) is not refused
    if refused:
        assert "mine.txt" in report.reason
        assert "stash push" in report.reason
        assert "run the same command again" in report.reason
        it.on_event = None
        it.repository.uncommitted = Dirt()
        assert it.run().exit_status is ExitStatus.OK
        assert len(it.jobs) == 4


def test_without_a_merge_nobody_minds(tmp_path: Path) -> None:
    it = world(tmp_path)
    it.change(finish=replace(it.profile.finish, merge=None))
    it.repository.uncommitted = Dirt(staged=("mine.txt",))
    assert it.run().exit_status is ExitStatus.OK


@pytest.mark.parametrize("shape", ["coord", "flat"])
def test_what_a_person_began_at_the_root_does_not_disturb_a_status_kept_elsewhere(
    tmp_path: Path, shape: str
) -> None:
    it = world(tmp_path, shape=shape)
    disturb(it, "claim", leave(RootState("main", begun="merge")), leave(RootState("main")), after=60)
    assert it.run().exit_status is ExitStatus.OK
    assert not [one for one in it.events(RetryDecided) if one.key == "ROOT_BEGUN" and one.wp]


@pytest.mark.parametrize(("begun", "end"), [("merge", "merge --abort"), ("bisect", "bisect reset")])
@pytest.mark.parametrize("at", MOMENTS)
def test_what_a_person_begins_at_the_root_during_the_run_is_waited_for(
    tmp_path: Path, at: str, begun: str, end: str
) -> None:
    it = world(tmp_path)
    state = RootState(None if begun == "bisect" else "main", begun=begun)
    disturb(it, at, leave(state), leave(RootState("main")), after=60)
    report = it.run()
    assert report.exit_status is ExitStatus.OK, report.reason
    told = waits(it)
    assert told
    assert all(f"git -C {it.root} {end}" in one and "stash" not in one for one in told), told
