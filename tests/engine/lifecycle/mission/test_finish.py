"""The mission is finished only as the host has it at that moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import Event, WpEnded
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.simulation.simulation import Simulation

from tests.engine.world import World


@pytest.mark.parametrize("dialect", ["mission", "feature"])
@pytest.mark.parametrize("lane", [Lane.PLANNED, Lane.IN_PROGRESS, Lane.FOR_REVIEW, Lane.BLOCKED])
def test_a_mission_of_which_others_took_a_work_package_back_is_neither_accepted_nor_merged(
    tmp_path: Path, dialect: str, lane: Lane
) -> None:
    world = World(tmp_path, {"WP01": [], "WP02": ["WP01"]}, dialect=dialect)

    def take_back(_: Simulation, event: Event, __: Session) -> None:
        if isinstance(event, WpEnded) and event.wp == "WP02":
            world.host.move("WP01", lane, "somebody")

    world.on_event = take_back
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert f"does not have every work package finished: WP01 ({lane})" in report.reason
    assert not {"accept", "merge"} & set(world.operations())
