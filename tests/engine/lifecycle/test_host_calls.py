"""Calls for the whole mission: repeated by the retry table, and given up with its words."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from kitty_run.engine.state.events import CallStarted, Notice
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.model import Action, Backoff, RetryRow

from tests.engine import profiles
from tests.engine.world import World


def mission(root: Path, code: str, row: RetryRow, *faults: Fault) -> World:
    made = profiles.profile()
    host = {**made.retry.host, code: row}
    profile = replace(made, retry=replace(made.retry, host=host))
    return World(root, {"WP01": []}, profile=profile, faults=faults)


@pytest.mark.parametrize("operation", ["accept", "merge"])
@pytest.mark.parametrize(("times", "status"), [(2, ExitStatus.OK), (3, ExitStatus.INCOMPLETE)])
def test_a_call_for_the_mission_is_repeated_as_often_as_its_row_says(
    tmp_path: Path, operation: str, times: int, status: ExitStatus
) -> None:
    row = RetryRow(Action.RETRY, attempts=2, backoff=Backoff(initial=10.0, max=10.0, jitter=0.0))
    world = mission(tmp_path, "BUSY", row, Fault(operation, "BUSY", times=times))
    report = world.run()
    assert report.exit_status is status
    assert world.operations().count(operation) == 3
    started = [one for one in world.entries() if one.event == CallStarted(operation)]
    assert all((two.at - one.at).total_seconds() >= 10 for one, two in pairwise(started))


@pytest.mark.parametrize("operation", ["accept", "merge"])
def test_a_call_for_the_mission_is_not_repeated_where_its_row_blocks(tmp_path: Path, operation: str) -> None:
    world = mission(tmp_path, "NO", RetryRow(Action.BLOCK), Fault(operation, "NO"))
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert world.operations().count(operation) == 1


def test_a_merge_whose_work_the_host_can_not_locate_ends_with_the_hosts_words(tmp_path: Path) -> None:
    faults = Fault("locate", "WP_NOT_FOUND", times=9)
    world = mission(tmp_path, "WP_NOT_FOUND", RetryRow(Action.BLOCK), faults)
    world.host.move("WP01", Lane.DONE)
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "WP_NOT_FOUND" in report.reason
    assert "merge" not in world.operations()


@pytest.mark.parametrize("operation", ["hand_in", "claim_review", "approve", "reject"])
def test_a_call_whose_reply_alone_was_lost_is_not_made_twice(tmp_path: Path, operation: str) -> None:
    """A host may refuse the second one: what it shows is believed instead."""
    world = World(tmp_path, {"WP01": []}, faults=[Fault(operation, "HOST_TIMEOUT", after=True)])
    world.script = lambda job: (
        job.work(f"{job.attempt}.txt")
        if job.role == "implement"
        else job.verdict("changes_requested" if job.cycle == 1 else "approved")
    )
    assert world.run().exit_status is ExitStatus.OK
    calls = [call.code for call in world.host.calls if call.operation == operation]
    assert calls[0] == "HOST_TIMEOUT"
    assert len(calls) == (1 if operation in {"approve", "reject"} else 2)
    told = [event.text for event in world.events(Notice) if "took effect" in event.text]
    assert told == [f"{operation}: no usable reply, but the host shows that it took effect"]
