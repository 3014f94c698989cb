"""Answers to gates in the journal and in the host's history: by whom, why, and each once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.events import Event, GateAnswered, Notice
from kitty_run.engine.state.gate_answers import Answer, give
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.simulation.kill import run_and_kill

from tests.engine.world import Did, Job, World

PAIR = {"WP01": [], "WP02": ["WP01"]}


def notes(world: World) -> list[tuple[str | None, str]]:
    """The notes that the host took, each with its work package."""
    made = [call for call in world.host.calls if call.operation == "note" and call.code is None]
    return [(call.wp, call.argv[call.argv.index("--note") + 1]) for call in made]


def gated(root: Path, *gates: str, dialect: str = "mission") -> World:
    world = World(root, PAIR, dialect=dialect)
    world.change(gates=gates)
    return world


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_an_answer_is_noted_with_who_gave_it_and_why(dialect: str, tmp_path: Path) -> None:
    world = gated(tmp_path, "done", dialect=dialect)
    world.run()
    give(world.place, "done-WP01", Answer(True, "ann", "read it\nall of it"))
    world.run()
    assert notes(world) == [("WP01", "gate done-WP01: approved by ann: read it all of it")]
    (note,) = [call for call in world.host.calls if call.operation == "note"]
    assert note.argv[note.argv.index("--actor") + 1] == "kitty-run", "hosts go by the last actor"
    operations = world.operations("WP01")
    assert operations.index("note") < operations.index("approve")
    (answered,) = world.events(GateAnswered)
    assert (answered.approved, answered.by, answered.note) == (True, "ann", "read it\nall of it")
    assert answered.history == "WP01"


def test_a_no_is_noted_before_the_rework_that_it_leads_to(tmp_path: Path) -> None:
    world = gated(tmp_path, "done")
    world.script = reworking
    world.run()
    give(world.place, "done-WP01", Answer(False, "ann", "wrong module"))
    world.run()
    assert notes(world) == [
        ("WP01", "gate done-WP01: rejected by ann: wrong module"),
        ("WP01", "review 1 requests changes: wrong module"),
    ]


def reworking(job: Job) -> Did:
    return job.work(f"file-{job.attempt}.txt") if job.role == "implement" else job.verdict()


def test_the_same_no_twice_is_two_answers(tmp_path: Path) -> None:
    world = gated(tmp_path, "done")
    world.script = reworking
    world.run()
    for _ in range(2):
        give(world.place, "done-WP01", Answer(False, "ann"))
        world.run()
    assert [text for _, text in notes(world) if text.startswith("gate")] == [
        "gate done-WP01: rejected by ann",
        "gate done-WP01: rejected by ann",
    ]


@pytest.mark.parametrize("gate", ["start", "accept", "merge"])
def test_an_answer_for_the_whole_mission_is_noted_with_its_first_work_package(
    gate: str, tmp_path: Path
) -> None:
    world = gated(tmp_path, gate)
    assert world.run().exit_status is ExitStatus.PAUSED
    assert notes(world) == []
    give(world.place, gate, Answer(True, "ann"))
    assert world.run().exit_status is ExitStatus.OK
    assert notes(world) == [("WP01", f"gate {gate}: approved by ann")]
    if gate == "merge":
        operations = world.operations()
        assert operations.index("note") < operations.index("merge")


def test_an_answer_that_several_sessions_read_is_noted_once(tmp_path: Path) -> None:
    world = gated(tmp_path, "start", "done", "merge")
    world.run()
    give(world.place, "start", Answer(True, "ann"))
    for wp in ("WP01", "WP02"):
        world.run()
        give(world.place, f"done-{wp}", Answer(True, "ann"))
    world.run()
    give(world.place, "merge", Answer(True, "ann"))
    assert world.run().exit_status is ExitStatus.OK
    assert [text.split(":")[0] for _, text in notes(world)] == [
        "gate start",
        "gate done-WP01",
        "gate done-WP02",
        "gate merge",
    ]


@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.parametrize("later", range(6))
def test_whenever_the_runner_is_killed_an_answer_is_noted_once(
    later: int, approved: bool, tmp_path: Path
) -> None:
    """Killed at the event that tells of the answer, or at one of those that follow it."""
    world = gated(tmp_path, "done")
    world.script = reworking
    world.run()
    give(world.place, "done-WP01", Answer(approved, "ann"))
    assert run_and_kill(world, Later("gate.answered", later))
    world.run()
    told = [text for _, text in notes(world) if text.startswith("gate done-WP01")]
    assert len(told) == 1


class Later:
    """The instant of the `count`-th event after one of the type."""

    def __init__(self, type_: str, count: int) -> None:
        self._type = type_
        self._left: int | None = None
        self._count = count

    def __call__(self, event: Event, _: int) -> bool:
        if self._left is not None:
            self._left -= 1
        elif self._type == event.TYPE:
            self._left = self._count
        return self._left == 0


def test_nobody_asked_nothing_noted(tmp_path: Path) -> None:
    world = gated(tmp_path, "start", "done", "accept", "merge")
    world.yes = True
    assert world.run().exit_status is ExitStatus.OK
    assert notes(world) == []
    assert world.events(GateAnswered) == []


def test_a_profile_that_wants_no_history_gets_none(tmp_path: Path) -> None:
    world = gated(tmp_path, "merge")
    world.change(host=replace(world.profile.host, history="none"))
    world.run()
    give(world.place, "merge", Answer(True, "ann"))
    assert world.run().exit_status is ExitStatus.OK
    assert notes(world) == []
    assert [event.history for event in world.events(GateAnswered)] == [None]


def test_a_note_that_the_host_refuses_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    world = gated(tmp_path, "merge")
    world.run()
    give(world.place, "merge", Answer(True, "ann"))
    world.host.faults = [Fault("note", "HISTORY_COMMIT_FAILED")]
    assert world.run().exit_status is ExitStatus.OK
    assert "did not take a history note" in world.events(Notice)[0].text


def test_a_yes_to_one_review_is_none_to_the_next(tmp_path: Path) -> None:
    """Somebody commits between the answer and the run that reads it: reviewed anew, and asked anew."""
    world = World(tmp_path, {"WP01": []})
    world.change(gates=("done",))
    world.run()
    give(world.place, "done-WP01", Answer(True, "ann"))
    tree = world.tree("WP01")
    tree.files["late.txt"] = "unreviewed"
    tree.commits.append(dict(tree.files))
    assert world.run().exit_status is ExitStatus.PAUSED
    assert world.lanes()["WP01"] is not Lane.DONE
    assert [job.role for job in world.jobs] == ["implement", "review", "review"]
    give(world.place, "done-WP01", Answer(True, "ann"))
    assert world.run().exit_status is ExitStatus.OK
