"""What would be started for each agent in each role, with placeholders for what only a run knows."""

from __future__ import annotations

from pathlib import Path

from kitty_run.agents import argv, prompts
from kitty_run.agents.model import AttemptContext
from kitty_run.engine.plan import AgentPlan, Kept
from kitty_run.profile.model import AXES, Agent, Axis, Extra, Profile, RoleName

_UNRESTRICTED = {"sandbox_mode": "none", "network_mode": "open", "approval_mode": "full_auto"}
"""The value of each axis that asks for no restriction."""


def planned_agent(profile: Profile, agent: Agent, role: RoleName, mission: str) -> AgentPlan:
    """`agent` taking `role` in `mission`. Raises LaunchError as a run would."""
    return AgentPlan(
        name=agent.name,
        family=agent.family,
        argv=_argv(profile, agent, role, mission, None),
        stdin=agent.prompt == "stdin",
        resumed=_argv(profile, agent, role, mission, "<session>") if agent.resume is not None else None,
        kept=tuple(_kept(profile, agent, axis) for axis in AXES),
        timeout=agent.timeout,
        idle_timeout=agent.idle_timeout,
    )


def _argv(
    profile: Profile, agent: Agent, role: RoleName, mission: str, session: str | None
) -> tuple[str, ...]:
    context = AttemptContext(
        run_id="<run>",
        mission=mission,
        wp="<wp>",
        title="<title>",
        dependencies=(),
        role=role,
        attempt=1,
        cycle=1,
        workspace=Path("<workspace>"),
        base="<base>",
        prompt_path=Path("<task>"),
        session=session,
        verdict_file=Path("<verdict-file>") if role == "review" else None,
    )
    prompt_file = Path("<prompt-file>")
    known = prompts.variables(context, agent, profile.policy, argv.PROMPT, prompt_file)
    command = argv.build(agent, role, profile.policy, known, prompt_file, session, Path("<files>"))
    return command.shown


def _kept(profile: Profile, agent: Agent, axis: Axis) -> Kept:
    value = str(getattr(profile.policy, axis))
    extra = agent.enforce.get(axis, {}).get(value, Extra())
    return Kept(
        axis,
        value,
        extra.args,
        tuple(extra.env),
        tuple(extra.files),
        _UNRESTRICTED[axis] == value,
        agent.sandbox if extra.runner else None,
    )
