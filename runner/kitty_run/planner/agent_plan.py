"""What would be started for each agent in each role, with placeholders for what only a run knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from kitty_run.agents.launch import argv, prompts
from kitty_run.agents.model import AttemptContext, Slip
from kitty_run.planner.plan import AgentPlan, KeptAxis
from kitty_run.profile.model import Agent, Extra, Profile, RoleName
from kitty_run.profile.policy_axes import PolicyAxis, policy_axes
from kitty_run.profile.template import render

_FILES = Path("<files>")
_PROMPT_FILE = Path("<prompt-file>")


def planned_agent(profile: Profile, agent: Agent, role: RoleName, mission: str) -> AgentPlan:
    """`agent` taking `role` in `mission`. Raises LaunchError as a run would."""
    known = _variables(profile, agent, role, mission)
    return AgentPlan(
        name=agent.name,
        family=agent.family,
        argv=_argv(profile, agent, role, mission, None),
        stdin=agent.prompt == "stdin",
        resumed=_argv(profile, agent, role, mission, "<session>") if agent.resume is not None else None,
        kept=tuple(_kept(profile, agent, axis, known) for axis in policy_axes().values()),
        timeout=agent.timeout,
        idle_timeout=agent.idle_timeout,
    )


def _argv(
    profile: Profile, agent: Agent, role: RoleName, mission: str, session: str | None
) -> tuple[str, ...]:
    known = _variables(profile, agent, role, mission)
    return argv.build(agent, role, profile.policy, known, _PROMPT_FILE, session, _FILES).shown


def _variables(profile: Profile, agent: Agent, role: RoleName, mission: str) -> dict[str, object]:
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
        slip=Slip(Path("<verdict-file>"), "<verdict-code>") if role == "review" else None,
    )
    return prompts.variables(context, agent, profile.policy, argv.PROMPT, _PROMPT_FILE)


def _kept(profile: Profile, agent: Agent, axis: PolicyAxis, known: dict[str, object]) -> KeptAxis:
    value = profile.policy.axes[axis.name]
    extra = agent.enforce.get(axis.name, {}).get(value, Extra())
    files = {name: str(_FILES / argv.file_name(name)) for name in extra.files}
    return KeptAxis(
        axis=axis.name,
        value=value,
        args=tuple(render(item, {**known, "files": files}) for item in extra.args),
        env=tuple(extra.env),
        files=tuple(files.values()),
        sandbox=agent.sandbox if extra.runner else None,
        unrestricted=axis.unrestricted == value,
        trust=profile.trust.get(agent.name, {}).get(axis.name, ""),
        with_others=tuple(_depending(profile, agent, axis, known)),
    )


def _depending(profile: Profile, agent: Agent, axis: PolicyAxis, known: dict[str, object]) -> Iterator[str]:
    """The other axes that would be kept otherwise if nothing were restricted on `axis`."""
    if profile.policy.axes[axis.name] == axis.unrestricted:
        return
    free = replace(profile.policy, axes={**profile.policy.axes, axis.name: axis.unrestricted})
    instead = {**known, "policy": free.payload(agent.family)}
    for name in policy_axes():
        extra = agent.enforce.get(name, {}).get(profile.policy.axes[name], Extra())
        texts = [*extra.args, *extra.env.values(), *extra.files.values()]
        files = {"files": dict.fromkeys(extra.files, "")}
        if name != axis.name and any(
            render(t, {**known, **files}) != render(t, {**instead, **files}) for t in texts
        ):
            yield name
