"""`assurance`: the least degree of trust that a profile accepts, and what lowers it, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kitty_run.profile.trust.changes import place_of
from kitty_run.profile.trust.degree import AgentTrust, Degree, wanted
from kitty_run.profile.trust.families import families_of
from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.validation.used_agents import UsedAgent, used_agents
from kitty_run.profile.yaml.tree import MapNode, find, plain, pointer


def too_low(root: MapNode, trust: Mapping[str, AgentTrust]) -> Iterator[Problem]:
    """A problem for each agent and axis that is held less well than `assurance` asks for."""
    node = find(root, ("assurance",))
    asked: Any = plain(node) if node else Degree.DECLARED.value
    for used in used_agents(root):
        for axis, least in wanted(asked).items():
            held = trust[used.name].axes[axis]
            if held.restricts and held.degree.height < least.height:
                yield _problem(root, used, trust[used.name], axis, least)


def _problem(root: MapNode, used: UsedAgent, trust: AgentTrust, axis: str, least: Degree) -> Problem:
    held = trust.axes[axis]
    first = held.reasons[0] if held.reasons else None
    value = plain(find(root, ("policy", axis)) or root)
    path = first.path if first else (*used.path, "enforce", axis, str(value))
    message = f"`assurance` asks for {least} {axis}, but that of the agent {used.name!r} is {held.degree}"
    cause = f"{first.what}; " if first else ""
    hint = f"{cause}{_HINTS[least]}"
    return Problem.at(place_of(root, used, path), pointer(path), message, hint)


_HINTS: Mapping[Degree, str] = {
    Degree.CONFINED: "leave it to the runner's sandbox: `runner` in `enforce`, and `sandbox: bubblewrap`",
    Degree.CLI: "use the agent as a preset has it, or leave it to the runner's sandbox",
    Degree.DECLARED: "",
}


def notes(root: MapNode, trust: Mapping[str, AgentTrust]) -> Iterator[Problem]:
    """A note for each line that lowers an agent's degree; nothing is wrong with it.

    Of agents that no preset is for, no line does: their profile is all that is known of them.
    """
    for used in used_agents(root):
        if not families_of(used.family, used.words):
            continue
        for reason in trust[used.name].reasons:
            axes = [name for name, axis in trust[used.name].axes.items() if reason in axis.reasons]
            message = f"{', '.join(axes)} of the agent {used.name!r}: only declared, since {reason.what}"
            yield Problem.at(reason.place, pointer(reason.path), message, severity="note")
