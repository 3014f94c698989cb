"""When whatever differs in a workspace is taken for what its making left, and when for work."""

from __future__ import annotations

from pathlib import Path

from kitty_run.engine.state.events import AttemptStarted, CallStarted, WorkspaceRepaired
from kitty_run.engine.state.run_state import Memory
from kitty_run.git.protocols import Repair
from kitty_run.host.sim.memory import Fault

from tests.engine.world import World

LOST = Fault("claim", "HOST_TIMEOUT", wp="WP01", after=True)


def test_a_first_claim_takes_nothing_away(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.run()
    assert world.tree("WP01").untouched == [False]


def test_after_a_claim_that_was_lost_nobody_can_have_worked_there(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, faults=[LOST])
    world.run()
    assert world.tree("WP01").untouched == [True]


def test_after_an_attempt_it_may_be_work(tmp_path: Path) -> None:
    memory = Memory()
    world = World(tmp_path, {"WP01": []}, script=lambda job: job.fail(), faults=[LOST])
    world.run()
    told = []
    for entry in world.entries():
        memory.apply(entry)
        told.append((type(entry.event), memory.of("WP01").untouched()))
    assert (CallStarted, True) in told
    assert (AttemptStarted, False) in told
    assert not memory.of("WP01").untouched()


def test_the_host_is_asked_again_for_what_was_made_whole(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.tree("WP01").repair = Repair("git was cut off", removed=True)
    world.run()
    assert world.operations("WP01").count("claim") == 2
    kinds = [type(entry.event) for entry in world.entries()]
    assert kinds.index(WorkspaceRepaired) < kinds.index(AttemptStarted)
