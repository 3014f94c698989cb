"""Before and after a claim: nothing is claimed by a run that stops, and nothing that lies there is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import (
    AttemptProcess,
    AttemptStarted,
    CallEnded,
    Event,
    WorkSaved,
    WorkspaceAllocated,
)
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.simulation.kill import run_and_kill
from kitty_run.simulation.simulation import Simulation

from tests.engine.world import Did, Job, World, good


def test_nothing_is_claimed_once_a_run_is_to_stop(tmp_path: Path) -> None:
    """Interrupted while a claim is to be made again: the lost one before it is the last."""
    world = World(tmp_path, {"WP01": []}, faults=[Fault("claim", "HOST_TIMEOUT", times=1)])

    def interrupt(_: Simulation, event: Event, session: Session) -> None:
        if isinstance(event, CallEnded) and event.operation == "claim":
            session.interrupt()

    world.on_event = interrupt
    assert world.run().exit_status is ExitStatus.INTERRUPTED
    assert world.operations().count("claim") == 1
    assert world.lanes()["WP01"] is Lane.PLANNED


def test_what_was_chosen_while_the_run_was_stopping_is_not_claimed(tmp_path: Path) -> None:
    """Interrupted while the host is asked what it offers, which a canceled dependency makes necessary."""
    world = World(tmp_path, {"WP01": [], "WP02": ["WP01"], "WP03": []})
    world.host.move("WP01", Lane.CANCELED)

    def interrupt(_: Simulation, event: Event, session: Session) -> None:
        if isinstance(event, CallEnded) and event.operation == "ready":
            session.interrupt()

    world.on_event = interrupt
    assert world.run().exit_status is ExitStatus.INTERRUPTED
    assert "ready" in world.operations()
    assert "claim" not in world.operations()


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_what_a_killed_attempt_left_is_committed_before_the_host_claims_again(
    tmp_path: Path, dialect: str
) -> None:
    """A host refuses a dirty worktree, or removes what is in it."""

    def script(job: Job) -> Did:
        job.tree.files["half.txt"] = "half"
        return good(job)

    world = World(tmp_path, {"WP01": []}, dialect=dialect, script=script)
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptProcess))
    world.tree("WP01").files["half.txt"] = "half"
    world.host.faults.append(Fault("claim", "LANE_ALLOCATION_FAILED"))
    heads: list[str] = []

    def look(_: Simulation, event: Event, __: Session) -> None:
        if isinstance(event, AttemptStarted):
            heads.append(world.tree("WP01").commits[-1].get("half.txt", ""))

    world.on_event = look
    assert world.run().exit_status is ExitStatus.OK
    assert world.events(WorkSaved)[0].why == "work left by an interrupted attempt"
    assert heads[0] == "half"
    claims = [call.code for call in world.host.calls if call.operation == "claim"]
    assert claims[1:3] == ["LANE_ALLOCATION_FAILED", None]


def test_what_lies_in_a_work_package_that_was_claimed_before_is_reviewed_with_the_rest(
    tmp_path: Path,
) -> None:
    """Whoever claimed it, under whatever name, may have worked there: nothing of that passes for its base."""
    world = World(tmp_path, {"WP01": []}, dialect="mission-4")
    world.host.move("WP01", Lane.CLAIMED, actor="kitty-run")
    tree = world.tree("WP01")
    tree.commits.append({"planted.txt": "x"})
    tree.files = dict(tree.commits[-1])
    world.run()
    assert "reserve" not in world.operations()
    assert [event.base for event in world.events(WorkspaceAllocated)] == [tree.heads[0]]
