"""What a work package is said to do at each step between an agent's end and the host's word."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.state.events import AttemptEnded, ChecksStarted, Event, VerdictGiven, WorkReady
from kitty_run.report.status import Follower

from tests.engine.world import World


@pytest.mark.parametrize(
    ("after", "doing"),
    [
        (AttemptEnded, "commit"),
        (ChecksStarted, "checks"),
        (WorkReady, "waits for the host"),
        (VerdictGiven, "waits for the host"),
    ],
)
def test_what_is_under_way_is_said(tmp_path: Path, after: type[Event], doing: str) -> None:
    world = World(tmp_path, {"WP01": []})
    world.run()
    entries = world.entries()
    follower = Follower("run-1")
    if after is ChecksStarted:
        entries.insert(6, type(entries[0])(entries[5].at, ChecksStarted("WP01", "abc", "ada", 1)))
    for entry in entries:
        follower.take(entry)
        if isinstance(entry.event, after):
            break
    assert follower.status.work_packages["WP01"].doing == doing
