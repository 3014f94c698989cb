"""What is not merged."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import Event, WpEnded
from kitty_run.errors import ExitStatus
from kitty_run.simulation.simulation import Simulation

from tests.engine.world import World


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_workspace_with_uncommitted_changes_is_not_merged(tmp_path: Path, dialect: str) -> None:
    """Hosts delete it at the merge without a word."""
    world = World(tmp_path, {"WP01": []}, dialect=dialect)

    def change(_: Simulation, event: Event, __: Session) -> None:
        if isinstance(event, WpEnded):
            world.tree("WP01").files["late.txt"] = "x"

    world.on_event = change
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "dirty (late.txt" in report.reason or "late.txt" in report.reason
    assert "merge" not in world.operations()
    assert world.tree("WP01").files["late.txt"] == "x"


@pytest.mark.parametrize("dialect", ["feature", "mission", "mission-4"])
def test_the_target_is_named_to_the_host_whatever_it_would_take_by_itself(
    tmp_path: Path, dialect: str
) -> None:
    """spec-kitty 1.0.0 merges into `main` where none is named."""
    world = World(tmp_path, {"WP01": []}, dialect=dialect)
    assert world.profile.finish.merge is not None
    assert world.profile.finish.merge.target is None
    world.run()
    argv = next(call.argv for call in world.host.calls if call.operation == "merge")
    assert argv[argv.index("--target") + 1] == "main"
