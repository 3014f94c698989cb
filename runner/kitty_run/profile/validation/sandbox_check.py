"""What a profile leaves to the runner's sandbox, and whether it can be left to it."""

from __future__ import annotations

from collections.abc import Iterator

from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.yaml.tree import (
    MapNode,
    Node,
    Path,
    ScalarNode,
    child,
    find,
    map_entries,
    plain,
    pointer,
    value_place,
)


def check_runner(root: MapNode, path: Path, agent: Node) -> Iterator[Problem]:
    """Where `agent` (at `path`) leaves to the runner what the runner can't keep."""
    sandbox = child(agent, "sandbox")
    on = sandbox is not None and plain(sandbox) != "none"
    for axis, table in map_entries(child(agent, "enforce")):
        for value, extra in map_entries(table.node):
            where = (*path, "enforce", axis, value)
            if not is_left(extra.node):
                continue
            if value not in policy_axes()[axis].sandboxed:
                yield _at(
                    root,
                    where,
                    f"the runner can't keep {axis}: {value}",
                    "say with which arguments it is kept",
                )
            elif not on:
                hint = f"add `sandbox: bubblewrap` to {pointer(path)}"
                yield _at(root, where, f"`runner`, but {pointer(path)} has no sandbox", hint)
    for role, extra in map_entries(child(agent, "roles")):
        if is_left(extra.node):
            yield _at(root, (*path, "roles", role), "`runner` belongs into `enforce`", "remove it here")


def is_left(extra: Node) -> bool:
    """Whether an `enforce` entry leaves its value to the runner."""
    if isinstance(extra, ScalarNode):
        return True
    runner = find(extra, ("runner",)) if isinstance(extra, MapNode) else None
    return runner is not None and plain(runner) is True


def _at(root: MapNode, path: Path, message: str, hint: str) -> Problem:
    return Problem.at(value_place(root, path), pointer(path), message, hint)
