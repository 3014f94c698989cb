"""Missions on the simulated host: what the engine does from the first claim to the merge."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane

from tests.engine.world import World

DIAMOND = {"WP01": [], "WP02": ["WP01"], "WP03": ["WP01"], "WP04": ["WP02", "WP03"]}


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_mission_goes_from_planned_to_merged(tmp_path: Path, dialect: str) -> None:
    world = World(tmp_path, DIAMOND, dialect=dialect)
    report = world.run()
    assert report.reason == ""
    assert report.exit_status is ExitStatus.OK
    assert set(world.lanes().values()) == {Lane.DONE}
    assert report.accepted
    assert report.merged
    assert len(world.jobs) == 8
