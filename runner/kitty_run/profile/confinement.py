"""Which axes of the policy the runner's own sandbox holds for an agent."""

from __future__ import annotations

from kitty_run.profile.model import Agent, Extra, Policy


def confined_axes(agent: Agent, policy: Policy) -> frozenset[str]:
    """The axes whose value the sandbox holds, whatever the agent's command line says or its CLI does.

    Empty: `agent` runs outside of the sandbox. Inside, files are confined to what `sandbox_mode` says also
    where the agent's arguments keep it too; its value `none` asks for nothing and is not held.
    """
    left = {
        axis for axis, value in policy.axes.items() if agent.enforce.get(axis, {}).get(value, Extra()).runner
    }
    if agent.sandbox == "none" or not left:
        return frozenset()
    files = {"sandbox_mode"} if policy.axes["sandbox_mode"] != "none" else set()
    return frozenset(left | files)
