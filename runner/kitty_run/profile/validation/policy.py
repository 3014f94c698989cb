"""Policy is kept, not only declared: what the host gets must be what the agents' argv keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.validation.flags import Bypass, banned, bypasses
from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.validation.used_agents import UsedAgent, own_place, scalars, used_agents
from kitty_run.profile.yaml.tree import (
    MapNode,
    Path,
    ScalarNode,
    child,
    find,
    key_place,
    map_entries,
    pointer,
    value_place,
)

SECRET = re.compile("token|secret|key|password|credential", re.IGNORECASE)
"""What the host takes for a secret, in any string of a policy (3.2.7: at every depth; 1.0.3: the top)."""


_Arguments: TypeAlias = list[tuple[Path, ScalarNode]]
"""An argument list, each argument with its position."""


def check_policy(root: MapNode) -> Iterator[Problem]:
    """Where the policy of `root` would be refused by the host, or isn't kept by an agent that a role uses."""
    yield from _secrets(root)
    yield from _banned_declared(root)
    for used in used_agents(root):
        yield from _not_enforced(root, used)
        yield from _banned_arguments(root, used)
        yield from _undeclared(root, used)
        yield from _secret_family(root, used)


def _secrets(root: MapNode) -> Iterator[Problem]:
    for path, node in scalars(root.get("policy"), ("policy",)):
        if isinstance(node.value, str) and (found := SECRET.search(node.value)):
            yield Problem.at(node.place, pointer(path), *_secret(node.value, found.group()))


def _secret(value: str, word: str) -> tuple[str, str]:
    hint = f"the host refuses every policy text with {word!r} in it: choose other words"
    return f"{value!r} would be taken for a secret", hint


def _secret_family(root: MapNode, used: UsedAgent) -> Iterator[Problem]:
    """Without `policy.agent_family`, an agent's family is sent as part of the policy."""
    if find(root, ("policy", "agent_family")) is None and (found := SECRET.search(used.family)):
        path = (*used.path, "family") if child(used.node, "family") else used.path
        message, hint = _secret(used.family, found.group())
        yield Problem.at(
            value_place(root, path), pointer(path), message, f"{hint}, or set policy.agent_family"
        )


def _banned_declared(root: MapNode) -> Iterator[Problem]:
    for path, node in scalars(find(root, ("policy", "dangerous_flags")), ("policy", "dangerous_flags")):
        if any(flag.found_in([node.raw]) for flag in banned()):
            yield Problem.at(node.place, pointer(path), f"{node.raw!r} is banned by the host", "remove it")


def _not_enforced(root: MapNode, used: UsedAgent) -> Iterator[Problem]:
    missing = [
        axis for axis in policy_axes() if find(used.node, ("enforce", axis, _value(root, axis))) is None
    ]
    if not missing:
        return
    if child(used.node, "enforce") is None:
        yield _no_enforce(root, used)
        return
    for axis in missing:
        yield _not_listed(root, used, axis)


def _value(root: MapNode, axis: str) -> str:
    node = find(root, ("policy", axis))
    return str(node.value) if isinstance(node, ScalarNode) else ""


def _no_enforce(root: MapNode, used: UsedAgent) -> Problem:
    place = own_place(key_place(root, used.path), used.named_at(root))
    wanted = ", ".join(f"{axis}: {{{_value(root, axis)}: [...]}}" for axis in policy_axes())
    message = f"the agent {used.name!r} has no `enforce`, so it can't keep the policy"
    hint = f"name the arguments that keep it: enforce: {{{wanted}}}"
    return Problem.at(place, pointer(used.path), message, hint)


def _not_listed(root: MapNode, used: UsedAgent, axis: str) -> Problem:
    value = _value(root, axis)
    listed = ", ".join(key for key, _ in map_entries(find(used.node, ("enforce", axis)))) or "nothing"
    policy = key_place(root, ("policy", axis))
    enforce = key_place(root, (*used.path, "enforce", axis))
    shown = value_place(root, ("policy", axis))
    place = own_place(shown, enforce, used.named_at(root))
    where = enforce if place == shown else policy
    message = f"the agent {used.name!r} can't keep {axis}: {value}; its `enforce` lists {listed}"
    hint = (
        f"list {value!r} in /agents/{used.name}/enforce/{axis} with the arguments that keep it, "
        f"or choose a value that is listed; see {where}"
    )
    return Problem.at(place, pointer(("policy", axis)), message, hint)


def _banned_arguments(root: MapNode, used: UsedAgent) -> Iterator[Problem]:
    parts = [child(used.node, key) for key in ("command", "enforce", "roles", "args", "resume")]
    for key, part in zip(("command", "enforce", "roles", "args", "resume"), parts, strict=True):
        for path, node in scalars(part, (*used.path, key)):
            for flag in banned():
                if flag.found_in([node.raw]):
                    place = own_place(node.place, used.named_at(root))
                    hint = "keep the policy with the agent's own permissions instead"
                    yield Problem.at(
                        place, pointer(path), f"the flag {flag.name} is banned by the host", hint
                    )


def _undeclared(root: MapNode, used: UsedAgent) -> Iterator[Problem]:
    launches = list(_launches(root, used))
    declared = [node.raw for _, node in scalars(find(root, ("policy", "dangerous_flags")), ())]
    for flag in bypasses():
        if flag.concerns(used.families) and not flag.declared(declared):
            for path, node in _holders(root, used, flag, launches):
                place = own_place(node.place, used.named_at(root))
                message = f"{flag.name!r} bypasses approvals or sandbox, but isn't in `dangerous_flags`"
                hint = f"remove it, or add {flag.name!r} to policy.dangerous_flags"
                yield Problem.at(place, pointer(path), message, hint)


def _holders(
    root: MapNode, used: UsedAgent, flag: Bypass, launches: list[_Arguments]
) -> Iterator[tuple[Path, ScalarNode]]:
    """The arguments of the agent's launches, or the variables, that are what `flag` means."""
    for argv in launches:
        for number in flag.found_in([node.raw for _, node in argv]):
            yield argv[number]
    if not flag.env:
        return
    for path, node in scalars(find(used.node, ("env", "pass")), (*used.path, "env", "pass")):
        if flag.env == node.raw:
            yield path, node
    for base in ("env", "set"), *_extra_paths(root, used):
        env = find(used.node, base) if base == ("env", "set") else child(find(used.node, base), "env")
        value = child(env, flag.env)
        if isinstance(value, ScalarNode):
            yield (*used.path, *base, flag.env), value


def _launches(root: MapNode, used: UsedAgent) -> Iterator[_Arguments]:
    """The argument lists that this agent would be started with, with `args` and with `resume`."""
    head = _arguments(used, ("command",))
    for extra in _extra_paths(root, used):
        head += _arguments(used, extra)
    yield head + _arguments(used, ("args",))
    yield head + _arguments(used, ("resume", "args"))


def _arguments(used: UsedAgent, path: tuple[str, ...]) -> _Arguments:
    node = find(used.node, path)
    if isinstance(node, MapNode):
        return _arguments(used, (*path, "args"))
    return list(scalars(node, (*used.path, *path)))


def _extra_paths(root: MapNode, used: UsedAgent) -> list[tuple[str, ...]]:
    """Where the entries are that this policy and these roles select."""
    values = [(axis, find(root, ("policy", axis))) for axis in policy_axes()]
    enforce = [("enforce", axis, str(value.value)) for axis, value in values if isinstance(value, ScalarNode)]
    return [*enforce, *(("roles", role) for role in used.roles)]
