"""The agents of a profile, or those that presets know: whether they are installed, and keep the policy."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from shutil import which
from typing import Any

from kitty_run.doctor.command import version
from kitty_run.doctor.finding import Finding, bad, note, ok
from kitty_run.errors import ExitStatus
from kitty_run.execution.sandbox.bubblewrap import unavailable
from kitty_run.execution.sandbox.confine import needed, unheld_resources
from kitty_run.planner.mission_plan import make
from kitty_run.planner.plan import Plan
from kitty_run.profile.model import Agent, Profile
from kitty_run.resources import profiles_dir, read_yaml


async def agents(profile: Profile) -> AsyncIterator[Finding]:
    """Each agent that a role uses, in the roles' order."""
    used = dict.fromkeys(name for role in profile.roles.values() for name in role.agents)
    found = await asyncio.gather(*(_agent(profile.agents[name]) for name in used))
    for finding in found:
        yield finding
    for finding in _policy(make(profile, None)):
        yield finding
    needing = [name for name in used if needed(profile.agents[name], profile.policy)]
    reason = await asyncio.to_thread(unavailable) if needing else None
    unheld = [
        f"{name}: {why}"
        for name in used
        if (why := unheld_resources(profile.agents[name], profile.policy)) is not None
    ]
    if unheld:
        advice = "change `resources` of these agents, or the user that runs them"
        yield bad("sandbox", "; ".join(unheld), advice, ExitStatus.USAGE)
    if reason is not None:
        advice = "make it run, or choose a policy that these agents keep themselves"
        yield bad("sandbox", f"{', '.join(needing)}: {reason}", advice, ExitStatus.USAGE)
    elif needing and not unheld:
        yield ok("sandbox", f"bubblewrap works, for {', '.join(needing)}")


async def _agent(agent: Agent) -> Finding:
    subject = f"agent {agent.name}"
    said = await version(agent.command[0], agent.env.set.get("PATH"))
    if said is None:
        return bad(subject, f"`{agent.command[0]}` is not on PATH", "install it, or list another agent")
    unset = [name for name in agent.env.passed if name not in os.environ]
    missing = f"; not set here: {', '.join(unset)}" if unset else ""
    return ok(subject, f"{said[0]}: {said[1]}{missing}")


def _policy(plan: Plan) -> Iterator[Finding]:
    """One finding for every restriction that nothing keeps."""
    seen = set()
    for agent in (agent for role in plan.roles.values() for agent in role):
        for kept in agent.kept:
            by_gates = kept.axis == "approval_mode" and plan.profile.gates
            if kept.is_kept or kept.unrestricted or by_gates or (agent.name, kept.axis) in seen:
                continue
            seen.add((agent.name, kept.axis))
            text = f"{agent.name} has no argument that keeps {kept.axis}: {kept.value}"
            yield note("policy", text, "its own defaults must keep it, or `enforce` must say how")
    if not seen:
        yield ok("policy", "every restriction is passed to every agent that a role uses")


def known_agents() -> Iterator[Finding]:
    """Which of the agents that ship as presets are on PATH."""
    there: list[str] = []
    absent: list[str] = []
    for path in sorted((profiles_dir() / "agents").glob("*.yaml")):
        document: dict[str, Any] = read_yaml(path)
        commands = [
            agent["command"][0] for agent in document.get("agents", {}).values() if "command" in agent
        ]
        (there if any(which(command) for command in commands) else absent).append(path.stem)
    if there:
        advice = f"`extends: [preset:{there[0]}]` uses one" + (
            f"; not here: {', '.join(absent)}" if absent else ""
        )
        yield ok("agents", f"on PATH: {', '.join(there)} ({advice})")
    else:
        yield note("agents", "none of those that presets know is on PATH", f"presets: {', '.join(absent)}")
