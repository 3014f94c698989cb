"""After a kill nothing starts in a workspace in which somebody else works: it is waited for, and paused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kitty_run.engine.state.events import AttemptProcess, AttemptStarted, Event, Notice
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.model import Profile
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import Did, Job, World

SHELL = "process 77 (bash)"


def killed(tmp_path: Path) -> World:
    world = World(tmp_path, {"WP01": []})
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptProcess))
    return world


def test_a_run_pauses_at_a_process_that_stays_and_continues_without_it(tmp_path: Path) -> None:
    world = killed(tmp_path)
    world.others.append(SHELL)
    for _session in range(2):
        report = world.run()
        assert report.exit_status is ExitStatus.PAUSED
        assert SHELL in report.work_packages["WP01"].reason
        assert "run the same command again" in report.work_packages["WP01"].reason
    assert len(world.events(AttemptStarted)) == 1
    world.others.clear()
    assert world.run().exit_status is ExitStatus.OK


def test_a_process_that_leaves_is_waited_for(tmp_path: Path) -> None:
    world = killed(tmp_path)
    world.others.append(SHELL)

    def leave(there: World, event: Event, _: object) -> None:
        if isinstance(event, Notice) and SHELL in event.text:
            there.others.clear()

    world.on_event = leave
    assert world.run().exit_status is ExitStatus.OK


def test_an_interrupt_while_a_process_is_waited_for_ends_the_run(tmp_path: Path) -> None:
    world = killed(tmp_path)
    world.others.append(SHELL)

    def stop(_: World, event: Event, session: object) -> None:
        if isinstance(event, Notice) and SHELL in event.text:
            session.interrupt()  # type: ignore[attr-defined]

    world.on_event = stop
    assert world.run().exit_status is ExitStatus.INTERRUPTED
    world.on_event = None
    assert world.run().exit_status is ExitStatus.PAUSED, "it was not forgotten"


def gated() -> Profile:
    return replace(profiles.profile(), gates=("done",))


def test_whoever_works_there_after_a_run_that_came_to_its_end_is_no_hindrance(tmp_path: Path) -> None:
    """A person fixes in their editor what a run left to them, and runs it again."""

    def script(job: Job) -> Did:
        if job.role == "implement":
            return job.work() if world.others else job.fail()
        return job.verdict()

    world = World(tmp_path, {"WP01": []}, script=script, profile=gated())
    world.run()
    world.host.move("WP01", Lane.PLANNED, "somebody")
    world.others.append(SHELL)
    world.yes = True
    assert world.run().exit_status is ExitStatus.OK
