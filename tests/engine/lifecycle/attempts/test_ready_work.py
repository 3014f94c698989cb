"""Work that was ready when the runner was killed is handed in, if it is still what the workspace holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.engine.state.events import AttemptStarted, VerdictGiven, WorkReady
from kitty_run.errors import ExitStatus
from kitty_run.simulation.kill import run_and_kill
from kitty_run.simulation.workspaces import WorkspaceContent

from tests.engine.world import World


def nothing(content: WorkspaceContent) -> None:
    """Nobody was there meanwhile."""


def change(content: WorkspaceContent) -> None:
    content.files["more.txt"] = "x"


def commit(content: WorkspaceContent) -> None:
    change(content)
    content.commit()


@pytest.mark.parametrize("dialect", ["mission", "feature"])
@pytest.mark.parametrize(("meanwhile", "attempts"), [(nothing, 1), (change, 2), (commit, 2)])
def test_ready_work_is_handed_in_after_a_kill_unless_something_changed_meanwhile(
    tmp_path: Path, dialect: str, meanwhile: Callable[[WorkspaceContent], None], attempts: int
) -> None:
    world = World(tmp_path, {"WP01": []}, dialect=dialect)
    world.script = lambda job: job.work(f"{job.attempt}.txt") if job.role == "implement" else job.verdict()
    assert run_and_kill(world, lambda event, _: isinstance(event, WorkReady))
    meanwhile(world.tree("WP01"))
    assert world.run().exit_status is ExitStatus.OK
    made = [event for event in world.events(AttemptStarted) if event.role == "implement"]
    assert len(made) == attempts
    assert world.tree("WP01").clean
    assert world.events(VerdictGiven)[-1].commit == world.tree("WP01").head
