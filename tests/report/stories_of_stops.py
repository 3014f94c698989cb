"""Missions that limits, gates, interrupts and the host hold up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from kitty_run.engine.session import Session
from kitty_run.engine.state.events import AttemptProcess, Event, MergeStarted
from kitty_run.engine.state.gate_answers import Answer, give
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.limits import Allowance, Limits
from kitty_run.profile.model import Action, Concurrency, Output, RetryRow

from tests.engine import profiles
from tests.engine.world import START, Did, Job, World, good
from tests.report.played import PAIR, Played


def troubled_host(root: Path) -> Played:
    """A lost reply that had taken effect, one that had not, a refusal, and somebody else's WP."""
    faults = [
        Fault("hand_in", "HOST_TIMEOUT", wp="WP01", after=True),
        Fault("approve", "HOST_UNREADABLE", wp="WP01"),
        Fault("note", "HISTORY_LOCKED"),
    ]
    world = Played(root, {"WP01": [], "WP02": [], "WP03": ["WP02"]}, faults=faults, script=_rejected_once)
    world.host.move("WP02", Lane.IN_PROGRESS, actor="somebody")
    world.run()
    return world


def _rejected_once(job: Job) -> Did:
    if job.role == "implement":
        return job.work(f"file-{job.attempt}.txt")
    return job.verdict() if job.attempt > 1 else job.verdict("changes_requested", ["again"])


def gates(root: Path) -> Played:
    """Waits at the gate `done`, gets no, reworks, waits again, gets yes; then waits at the merge."""
    profile = replace(profiles.profile(), gates=("done", "merge"))

    def script(job: Job) -> Did:
        return job.work(f"file-{job.attempt}.txt") if job.role == "implement" else job.verdict()

    world = Played(root, {"WP01": []}, profile=profile, script=script)
    world.run()
    give(world.place, "done-WP01", Answer(False, "mia", "the name is wrong"))
    world.run()
    give(world.place, "done-WP01", Answer(True, "mia"))
    world.run()
    return world


def moved_back(root: Path) -> Played:
    """Others reset the target while WP01 is worked on: the merge waits for a person."""
    world = Played(root, {"WP01": []})

    def reset(_: World, event: Event, __: Session) -> None:
        if isinstance(event, AttemptProcess):
            world.repository.moved_back["main"] = "commit-before"

    world.on_event = reset
    world.run()
    return world


def unreviewed(root: Path) -> Played:
    """A commit comes in while the host merges."""
    world = Played(root, {"WP01": []})

    def commit(_: World, event: Event, __: Session) -> None:
        if isinstance(event, MergeStarted):
            world.tree("WP01").files["foreign.txt"] = "x"
            world.tree("WP01").commit()

    world.on_event = commit
    world.run()
    return world


def interrupted(root: Path) -> Played:
    """Interrupted twice while WP01 is worked on."""
    world = Played(root, PAIR)

    def twice(_: World, event: Event, session: Session) -> None:
        if isinstance(event, AttemptProcess):
            session.interrupt()
            session.interrupt()

    world.on_event = twice
    world.run()
    return world


def limit(root: Path) -> Played:
    """The time limit is reached while WP01 is worked on."""
    world = Played(root, PAIR, script=lambda job: replace(good(job), seconds=100.0))
    world.change(limits=Limits(wall_clock=50.0))
    world.run()
    return world


def own_limit(root: Path) -> Played:
    """WP01 uses up what it may; WP03, which does not wait on it, is done. Only ada names costs."""
    profile = profiles.profile()
    output = Output("json", cost_usd=("/cost",), input_tokens=("/read",), output_tokens=("/written",))
    ada, bob = replace(profile.agents["ada"], output=output), replace(profile.agents["bob"], output=Output())
    profile = replace(profile, agents={**profile.agents, "ada": ada, "bob": bob})

    def script(job: Job) -> Did:
        usage = '{"cost": 1.25, "read": 900, "written": 100}'
        return replace(job.fail() if job.wp == "WP01" and job.attempt < 3 else good(job), output=usage)

    world = Played(root, {"WP01": [], "WP02": ["WP01"], "WP03": []}, profile=profile, script=script)
    world.change(limits=Limits(cost_usd=20.0, work_package=Allowance(cost_usd=2.0)))
    world.run()
    return world


def limited(root: Path) -> Played:
    """Ada is limited, and eve implements instead; bob is limited too, and both work packages wait for him."""
    profile = profiles.profile(implement=("ada", "eve"))
    tables = replace(profile.retry, agent={**profile.retry.agent, "overloaded": RetryRow(Action.FALLBACK)})
    profile = replace(profile, retry=tables)

    def script(job: Job) -> Did:
        if job.agent == "ada":
            job.work("half.txt")
            return job.overloaded(seconds=10.0)
        if job.agent == "bob" and job.now < START + timedelta(hours=5):
            return job.limited((START + timedelta(hours=5)).isoformat())
        return good(job)

    world = Played(root, {"WP01": [], "WP02": [], "WP03": []}, profile=profile, script=script)
    world.change(concurrency=Concurrency(2))
    world.run()
    return world
