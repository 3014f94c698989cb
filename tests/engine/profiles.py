"""Profiles for engine tests, built from the model: two agents, quick tables, no gates."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from kitty_run.profile.finish import Finish
from kitty_run.profile.limits import Limits
from kitty_run.profile.load import load
from kitty_run.profile.model import (
    Action,
    Agent,
    Backoff,
    Concurrency,
    Extra,
    HostConfig,
    Policy,
    Profile,
    RetryRow,
    RetryTables,
    Role,
)
from kitty_run.profile.output import Output
from kitty_run.simulation.profile import FAILURES, OUTPUT

AXES = {"sandbox_mode": "workspace_write", "network_mode": "none", "approval_mode": "full_auto"}
POLICY = Policy("kitty-run", "1.0.0", None, AXES)
ENFORCE = {axis: {value: Extra()} for axis, value in AXES.items()}


def agent(name: str, family: str | None = None) -> Agent:
    """An agent that every policy axis of `POLICY` is kept by."""
    return Agent(
        name=name,
        family=family or name,
        command=(name,),
        enforce=ENFORCE,
        output=OUTPUT,
        failures=FAILURES,
    )


def tables() -> RetryTables:
    """Rows as the shipped defaults have them, in seconds."""
    again = RetryRow(Action.RETRY, 2, Backoff(1.0), Action.FALLBACK)
    return RetryTables(
        host={
            "WP_ALREADY_CLAIMED": RetryRow(Action.SKIP),
            "TRANSITION_REJECTED": RetryRow(Action.REFRESH, 3, Backoff(1.0), Action.BLOCK),
            "POLICY_VALIDATION_FAILED": RetryRow(Action.ABORT),
            "HOST_TIMEOUT": RetryRow(Action.RETRY, 3, Backoff(2.0), Action.ABORT),
            "HOST_UNREADABLE": RetryRow(Action.RETRY, 2, Backoff(1.0), Action.ABORT),
            "LANE_ALLOCATION_FAILED": RetryRow(Action.RETRY, 2, Backoff(1.0), Action.BLOCK),
            "default": RetryRow(Action.BLOCK),
        },
        agent={
            "rate_limited": RetryRow(Action.WAIT, 8, Backoff(30.0), Action.FALLBACK),
            "timeout": RetryRow(Action.RETRY, 1, Backoff(), Action.FALLBACK),
            "no_changes": RetryRow(Action.RETRY, 1, Backoff(), Action.BLOCK),
            "default": again,
        },
        review={
            "changes_requested": RetryRow(Action.REWORK, 3, Backoff(), Action.BLOCK),
            "no_verdict": RetryRow(Action.RETRY, 2, Backoff(), Action.FALLBACK),
        },
    )


def profile(
    *, work_packages: int = 4, implement: tuple[str, ...] = ("ada",), review: tuple[str, ...] = ("bob",)
) -> Profile:
    """A profile with the agents named, each a family of its own."""
    return Profile(
        path=Path("profile.yaml"),
        name="test",
        description="",
        mission=None,
        host=HostConfig(),
        policy=POLICY,
        agents={name: agent(name) for name in {*implement, *review}},
        roles={"implement": Role("implement", implement), "review": Role("review", review)},
        concurrency=Concurrency(work_packages),
        retry=tables(),
        gates=(),
        limits=Limits(),
        finish=Finish(),
        commit_message="feat({{ wp.id }}): {{ role }} by {{ agent }}",
        digest="0" * 64,
    )


def silent(profile: Profile) -> Profile:
    """The same, with agents that report neither cost nor tokens."""
    agents = {name: replace(agent, output=Output()) for name, agent in profile.agents.items()}
    return replace(profile, agents=agents)


@cache
def shipped() -> Profile:
    """A profile with all that is shipped as default."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "profile.yaml"
        path.write_text(
            "version: 1\nextends: [preset:claude]\n"
            "roles: {implement: {agents: [claude]}, review: {agents: [claude]}}\n"
        )
        return load(path).profile
