"""Gates: a run pauses until a person answers, at the terminal or elsewhere; in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import (
    Event,
    GateWaiting,
)
from kitty_run.engine.state.gate_answers import Answer, give
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane

from tests.engine.world import Did, Job, World, good

PAIR = {"WP01": [], "WP02": ["WP01"]}


@pytest.mark.parametrize("gate", ["start", "accept", "merge"])
def test_a_gate_pauses_the_run_until_it_is_answered(tmp_path: Path, gate: str) -> None:
    world = World(tmp_path, PAIR)
    world.change(gates=(gate,))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert f"kitty-run approve {gate}" in report.reason
    assert (world.jobs == []) == (gate == "start")
    give(world.place, gate, Answer(True, "ann"))
    assert world.run().exit_status is ExitStatus.OK


def test_a_gate_before_done_pauses_each_work_package(tmp_path: Path) -> None:
    world = World(tmp_path, PAIR)
    world.change(gates=("done",))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert "approve done-WP01" in report.work_packages["WP01"].reason
    give(world.place, "done-WP01", Answer(True, "ann"))
    assert world.run().exit_status is ExitStatus.PAUSED
    give(world.place, "done-WP02", Answer(True, "ann"))
    assert world.run().exit_status is ExitStatus.OK
    assert len(world.jobs) == 4


def test_a_person_who_rejects_at_the_gate_before_done_sends_the_work_back(tmp_path: Path) -> None:
    world = World(
        tmp_path,
        {"WP01": []},
        script=lambda job: job.work(f"{job.attempt}") if job.role == "implement" else job.verdict(),
    )
    world.change(gates=("done",))
    world.run()
    give(world.place, "done-WP01", Answer(False, "ann", "wrong module"))
    assert world.run().exit_status is ExitStatus.PAUSED
    assert "wrong module" in world.jobs[2].prompt


@pytest.mark.parametrize("gate", ["start", "merge"])
def test_a_rejected_gate_ends_the_run_and_is_asked_again_next_time(tmp_path: Path, gate: str) -> None:
    world = World(tmp_path, PAIR)
    world.change(gates=(gate,))
    world.run()
    give(world.place, gate, Answer(False, "ann", "not today"))
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "not today" in report.reason
    assert world.run().exit_status is ExitStatus.PAUSED


class Person:
    """Sits at the terminal and answers after a while."""

    def __init__(self, answer: Answer, seconds: float) -> None:
        self.answer = answer
        self.seconds = seconds
        self.asked: list[str] = []

    async def ask(self, gate: str, about: str) -> Answer:
        self.asked.append(f"{gate}: {about}")
        await asyncio.sleep(self.seconds)
        return self.answer


def test_a_person_at_the_terminal_is_asked_while_other_work_continues(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": [], "WP02": []})
    world.change(gates=("done", "merge"))
    world.asker = person = Person(Answer(True, "ann"), 100.0)
    assert world.run().exit_status is ExitStatus.OK
    assert person.asked == ["done-WP01: WP01", "done-WP02: WP02", "merge: mission demo"]
    waited = [entry.at for entry in world.entries() if isinstance(entry.event, GateWaiting)]
    assert (waited[1] - waited[0]).total_seconds() < 10


def test_an_answer_given_elsewhere_counts_while_a_person_is_asked(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.change(gates=("merge",))
    world.asker = Person(Answer(False), 1e9)
    world.on_event = approve_when_waiting  # type: ignore[assignment]
    assert world.run().exit_status is ExitStatus.OK


def approve_when_waiting(world: World, event: Event, _: Session) -> None:
    if isinstance(event, GateWaiting):
        give(world.place, event.gate, Answer(True, "bea"))


def test_a_gate_that_is_answered_while_other_work_runs_needs_no_further_command(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return replace(good(job), seconds=1.0 if job.wp == "WP01" else 50.0)

    world = World(tmp_path, {"WP01": [], "WP02": []}, script=script)
    world.change(gates=("done",))
    world.on_event = approve_when_waiting  # type: ignore[assignment]
    report = world.run()
    assert world.lanes()["WP01"] is Lane.DONE
    assert report.exit_status is ExitStatus.OK, report


def test_an_interrupt_ends_the_waiting_for_a_person(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.change(gates=("merge",))
    world.asker = Person(Answer(True), 1e9)
    world.on_event = lambda _, event, session: session.interrupt() if isinstance(event, GateWaiting) else None
    assert world.run().exit_status is ExitStatus.INTERRUPTED
    assert not world.merged


def test_yes_answers_every_gate(tmp_path: Path) -> None:
    world = World(tmp_path, PAIR)
    world.change(gates=("start", "done", "accept", "merge"))
    world.yes = True
    assert world.run().exit_status is ExitStatus.OK
