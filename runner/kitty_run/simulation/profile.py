"""A profile whose agents are simulated: everything that decides stays, what starts processes goes."""

from __future__ import annotations

from dataclasses import replace

from kitty_run.profile.model import Agent, AgentEnv, Extra, FailureClass, FailureRule, Profile
from kitty_run.profile.output import Output
from kitty_run.simulation.agents import USAGE, WIDTH

REPORTED = (
    FailureClass.RATE_LIMITED,
    FailureClass.OVERLOADED,
    FailureClass.AUTH,
    FailureClass.NETWORK,
    FailureClass.CONTEXT_LIMIT,
)
"""The failures that an agent's output names; the others show in how the attempt ends."""

FAILURES = tuple(
    FailureRule(failure, match=rf"^{failure}(?: until (?P<resets_at>.+))?$") for failure in REPORTED
)
"""How a simulated agent's output is read: a line with the failure's name, and when it ends if known."""

OUTPUT = Output(usage="^used" + "".join(f" (?P<{name}>{'.' * WIDTH})" for name in USAGE) + "$")
"""Where cost and tokens are in it."""


def with_simulated_agents(profile: Profile) -> Profile:
    """The same profile for simulated agents: agents keep name, family and times; checks are not run.

    What a run decides by stays as it is: roles, retry tables, concurrency, limits, gates and the finish.
    """
    agents = {name: _simulated(agent, profile) for name, agent in profile.agents.items()}
    roles = {name: replace(role, checks=()) for name, role in profile.roles.items()}
    return replace(profile, agents=agents, roles=roles)


def _simulated(agent: Agent, profile: Profile) -> Agent:
    kept = {axis: {value: Extra()} for axis, value in profile.policy.axes.items()}
    return replace(
        agent,
        command=(agent.name,),
        args=(),
        enforce=kept,
        roles={},
        prompt="stdin",
        env=AgentEnv(),
        output=OUTPUT,
        resume=None,
        success=None,
        failures=FAILURES,
        sandbox="none",
    )
