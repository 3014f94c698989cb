"""The end of a work package that can't continue."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.state.events import WorkSaved
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault

from tests.engine.world import World


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_what_a_blocked_work_package_holds_is_committed_first(tmp_path: Path, dialect: str) -> None:
    """Hosts remove dirty worktrees without a word."""
    world = World(tmp_path, {"WP01": []}, dialect=dialect, script=lambda job: job.fail())

    def leave(*_: object) -> None:
        world.tree("WP01").files.setdefault("half.txt", "half")

    world.on_event = leave
    world.run()
    assert world.lanes() == {"WP01": Lane.BLOCKED}
    assert world.tree("WP01").commits[-1] == {"half.txt": "half"}
    assert world.tree("WP01").clean
    saved = [one.why for one in world.events(WorkSaved)]
    assert "work kept when the work package was blocked" in saved


def test_it_is_committed_where_the_host_refuses_to_block_it(tmp_path: Path) -> None:
    faults = [Fault("block", "USAGE_ERROR", times=99)]
    world = World(tmp_path, {"WP01": []}, script=lambda job: job.fail(), faults=faults)
    world.on_event = lambda *_: world.tree("WP01").files.setdefault("half.txt", "half")
    world.run()
    assert world.tree("WP01").clean
