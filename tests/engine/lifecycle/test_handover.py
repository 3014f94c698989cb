"""What the next attempt gets of the one before: a note, and the conversation where it is its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.events import AttemptProcess, AttemptStarted, SessionDropped
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action, Output, Profile, RetryRow
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import Did, Job, World, good

SAID = '{"session": "%s"}\n'


def talking(
    implement: tuple[str, ...] = ("ada", "eve"), review: tuple[str, ...] = ("bob",), failures: int = 4
) -> Profile:
    """Agents with conversations; a failure is repeated `failures` times, then the next agent takes over."""
    made = profiles.profile(implement=implement, review=review)
    agents = {
        name: replace(agent, output=Output("jsonl", session="/session"), resume=("--resume", "{{ session }}"))
        for name, agent in made.agents.items()
    }
    row = RetryRow(Action.RETRY, failures, then=Action.FALLBACK)
    tables = replace(made.retry, agent={**made.retry.agent, "default": row, "no_changes": row})
    return replace(made, agents=agents, retry=tables)


def resumed(job: Job) -> str | None:
    """The conversation that the job takes up again."""
    argv = job.launch.argv
    return argv[argv.index("--resume") + 1] if "--resume" in argv else None


def talk(job: Job, did: Did, name: str = "") -> Did:
    """The job says which conversation it is: the one it took up, or a new one."""
    return replace(did, output=SAID % (resumed(job) or name or f"{job.agent}-{job.attempt}"))


def test_the_next_agent_reads_what_the_first_did_how_it_ended_and_where_its_log_is(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.agent == "ada":
            job.work("committed.txt")
            job.tree.commits.append(dict(job.tree.files))
            job.work("half.txt")
            return job.fail(ending="not_installed")
        return good(job)

    world = World(tmp_path, {"WP01": []}, profile=talking(failures=0), script=script)
    assert world.run().exit_status is ExitStatus.OK
    prompt = world.jobs[1].prompt
    note = prompt[prompt.index("# What was here before you") :]
    assert "Implement attempt 1 was made by ada, and ended as `not_installed`: its command ada was" in note
    assert "It changed committed.txt, half.txt." in note
    assert "the newest first:\n- " in note
    assert "Not committed: committed.txt, half.txt." in note
    assert f"The log of that attempt is {world.place.log('WP01', 'implement-1')}" in note


def test_an_attempt_that_left_nothing_is_described_as_such(tmp_path: Path) -> None:
    script = limited_once
    world = World(tmp_path, {"WP01": []}, profile=talking(), script=script)
    assert world.run().exit_status is ExitStatus.OK
    assert "It changed no file.\n\nThe workspace is as the work package found it." in world.jobs[1].prompt


def limited_once(job: Job) -> Did:
    return job.limited() if job.role == "implement" and job.attempt == 1 else good(job)


def test_the_note_outlives_a_fallback_that_no_attempt_of_this_work_package_led_to(tmp_path: Path) -> None:
    """Ada fails by herself and is to try again; then the family is limited, and eve gets ada's note."""

    def script(job: Job) -> Did:
        if job.agent == "ada" and job.wp == "WP02":
            return replace(job.limited(), seconds=0.5)
        if job.agent == "ada":
            job.work("half.txt")
            return job.fail()
        return good(job)

    profile = talking()
    rows = {**profile.retry.agent, "rate_limited": RetryRow(Action.FALLBACK)}
    world = World(
        tmp_path,
        {"WP01": [], "WP02": []},
        profile=replace(profile, retry=replace(profile.retry, agent=rows)),
        script=script,
    )
    assert world.run().exit_status is ExitStatus.OK
    first = next(job for job in world.jobs if job.wp == "WP01" and job.agent == "eve")
    assert first.attempt == 2
    assert "Implement attempt 1 was made by ada" in first.prompt
    assert "half.txt" in first.prompt


def test_what_was_cut_off_with_the_runner_is_in_the_next_prompt(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, profile=talking())
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptProcess))
    world.run()
    again = next(job for job in world.jobs if job.role == "implement" and job.attempt == 2)
    assert "Implement attempt 1 was made by ada, and the runner stopped before" in again.prompt


@pytest.mark.parametrize("when", ["never", "rework.started", "attempt.started"])
def test_rework_continues_the_implementers_conversation_also_after_a_restart(
    tmp_path: Path, when: str
) -> None:
    def script(job: Job) -> Did:
        if job.role == "review":
            return job.verdict("changes_requested" if job.cycle == 1 else "approved")
        return talk(job, job.work(f"{job.attempt}.txt"))

    world = World(tmp_path, {"WP01": []}, profile=talking(), script=script)
    if when != "never":
        assert run_and_kill(world, lambda event, _: when == event.TYPE and event.cycle == 2)
    assert world.run().exit_status is ExitStatus.OK
    last = [job for job in world.jobs if job.role == "implement"][-1]
    assert (last.cycle, resumed(last)) == (2, "ada-1")
    assert "changes_requested by bob" in last.prompt


def dead_session(job: Job) -> Did:
    """Bob asks for changes once; ada's conversation can't be taken up again."""
    if job.role == "review":
        return job.verdict("changes_requested" if job.cycle == 1 else "approved")
    if resumed(job):
        return replace(job.fail(), output="No conversation found\n")
    return talk(job, job.work(f"{job.attempt}.txt"))


def test_a_dead_conversation_is_tried_once_and_the_next_attempt_begins_anew(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, profile=talking(), script=dead_session)
    assert world.run().exit_status is ExitStatus.OK
    implementing = [job for job in world.jobs if job.role == "implement"]
    assert [(job.agent, resumed(job)) for job in implementing] == [
        ("ada", None),
        ("ada", "ada-1"),
        ("ada", None),
    ]
    assert "Do WP01." in implementing[2].prompt
    assert "changes_requested by bob" in implementing[2].prompt
    (dropped,) = world.events(SessionDropped)
    assert (dropped.agent, dropped.session) == ("ada", "ada-1")
    assert [event.session for event in world.events(AttemptStarted)] == [
        *[None, None, "ada-1"],
        *[None, None],
    ]


def test_a_dropped_conversation_stays_dropped_after_a_restart(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []}, profile=talking(), script=dead_session)
    assert run_and_kill(world, lambda event, _: isinstance(event, SessionDropped))
    assert world.run().exit_status is ExitStatus.OK
    assert [resumed(job) for job in world.jobs if job.role == "implement"] == [None, "ada-1", None]


@pytest.mark.parametrize(
    ("fails", "kept"),
    [
        (lambda job: job.limited(), True),
        (lambda job: job.overloaded(), True),
        (lambda job: job.fail(ending="not_installed"), True),
        (lambda job: job.fail(ending="idle"), False),
        (lambda job: job.idle(), False),  # no_changes: it thinks that it is done
        (lambda job: (job.work("some.txt"), job.fail())[1], True),  # it works, and is only not done yet
    ],
)
def test_a_conversation_is_dropped_only_where_it_may_be_what_fails(
    tmp_path: Path, fails: Callable[[Job], Did], kept: bool
) -> None:
    def script(job: Job) -> Did:
        if job.role == "review":
            return job.verdict("changes_requested" if job.cycle == 1 else "approved")
        if job.cycle == 2 and job.attempt == 2:
            return fails(job)
        return talk(job, job.work(f"{job.attempt}.txt"))

    world = World(tmp_path, {"WP01": []}, profile=talking(), script=script)
    assert world.run().exit_status is ExitStatus.OK
    third = next(job for job in world.jobs if job.role == "implement" and job.attempt == 3)
    assert (resumed(third) == "ada-1") is kept


def test_a_fallback_begins_a_conversation_of_its_own(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.agent == "ada":
            return talk(job, job.fail())
        return talk(job, good(job))

    world = World(tmp_path, {"WP01": []}, profile=talking(failures=1), script=script)
    assert world.run().exit_status is ExitStatus.OK
    assert [(job.agent, resumed(job)) for job in world.jobs] == [
        *[("ada", None), ("ada", "ada-1")],
        *[("eve", None), ("bob", None)],
    ]


def test_a_reviewer_whose_conversation_gave_no_verdict_twice_begins_anew(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return good(job) if job.role == "implement" else talk(job, job.idle())

    world = World(tmp_path, {"WP01": []}, profile=talking(), script=script)
    world.run()
    assert world.lanes() == {"WP01": Lane.BLOCKED}
    assert [resumed(job) for job in world.jobs if job.role == "review"] == [None, "bob-1", None]
    assert "Review attempt 1 was made by bob, and ended as `no_verdict`" in world.jobs[2].prompt


def test_an_agent_that_takes_up_no_conversations_drops_none(tmp_path: Path) -> None:
    profile = talking()
    agents = {name: replace(agent, resume=None) for name, agent in profile.agents.items()}
    world = World(
        tmp_path,
        {"WP01": []},
        profile=replace(profile, agents=agents),
        script=lambda job: talk(job, job.fail()),
    )
    world.run()
    assert world.events(SessionDropped) == []
