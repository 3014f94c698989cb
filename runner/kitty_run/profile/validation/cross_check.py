"""What the parts of a profile must be to each other. Expects a tree without values of wrong types."""

from __future__ import annotations

from collections.abc import Iterator

from kitty_run.profile.durations import seconds
from kitty_run.profile.extends.merge import TERMINAL
from kitty_run.profile.limits import TIMES
from kitty_run.profile.validation.nearest import near, nearest
from kitty_run.profile.validation.network import check_proxies
from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.validation.sandbox_check import check_runner
from kitty_run.profile.validation.schema import profile_schema
from kitty_run.profile.yaml.tree import (
    MapNode,
    Node,
    Path,
    ScalarNode,
    child,
    find,
    key_place,
    list_items,
    map_entries,
    plain,
    pointer,
    value_place,
)


def cross_check(root: MapNode, agents: set[str]) -> Iterator[Problem]:
    """Where parts of `root` contradict each other; `agents` are the names of all agents, sound or not."""
    if agents:
        yield from _role_agents(root, agents)
        yield from _concurrency(root, agents)
    yield from _host_codes(root)
    yield from _retry_rows(root)
    for name, entry in map_entries(root.get("agents")):
        yield from _agent(root, ("agents", name), entry.node)
    yield from check_proxies(root)
    for path in _timeouts(root):
        yield from _positive(root, path)


def _at(root: MapNode, path: Path, message: str, hint: str = "") -> Problem:
    return Problem.at(value_place(root, path), pointer(path), message, hint)


def _at_key(root: MapNode, path: Path, message: str, hint: str = "") -> Problem:
    return Problem.at(key_place(root, path), pointer(path), message, hint)


def _role_agents(root: MapNode, agents: set[str]) -> Iterator[Problem]:
    for role, entry in map_entries(root.get("roles")):
        for number, item in list_items(child(entry.node, "agents")):
            name = str(plain(item))
            if name not in agents:
                path = ("roles", role, "agents", number)
                yield _at(root, path, f"no agent is called {name!r}", nearest(name, sorted(agents)))


def _concurrency(root: MapNode, agents: set[str]) -> Iterator[Problem]:
    for name, _ in map_entries(find(root, ("concurrency", "agents"))):
        if name not in agents:
            path = ("concurrency", "agents", name)
            yield _at_key(root, path, f"no agent is called {name!r}", nearest(name, sorted(agents)))


def _host_codes(root: MapNode) -> Iterator[Problem]:
    """A code that nobody knows may be new, but one that is nearly known is a mistake."""
    known = list(profile_schema()["properties"]["retry"]["properties"]["host"]["properties"])
    for code, _ in map_entries(find(root, ("retry", "host"))):
        if code not in known and (meant := near(code, known, 0.85)):
            path = ("retry", "host", code)
            yield _at_key(root, path, f"no host has the error code {code!r}", f"did you mean {meant!r}?")


def _retry_rows(root: MapNode) -> Iterator[Problem]:
    for table, rows in map_entries(root.get("retry")):
        for key, row in map_entries(rows.node):
            yield from _unreachable(root, ("retry", table, key), row.node)


def _unreachable(root: MapNode, path: Path, row: Node) -> Iterator[Problem]:
    do = child(row, "do")
    action = do.value if isinstance(do, ScalarNode) else None
    for key in ("attempts", "backoff", "then"):
        if action in TERMINAL and child(row, key) is not None:
            message = f"can never be reached: nothing follows `do: {action}`"
            yield _at_key(
                root, (*path, key), message, f"remove {key!r}, or do something that can be repeated"
            )


def _agent(root: MapNode, path: Path, agent: Node) -> Iterator[Problem]:
    yield from check_runner(root, path, agent)
    yield from _prompt_file(root, path, agent)
    yield from _output(root, path, agent)
    for number, rule in list_items(child(agent, "failures")):
        if child(rule, "match") is None and isinstance(rule, MapNode):
            yield from _failure_rule(root, (*path, "failures", number), rule)


def _failure_rule(root: MapNode, path: Path, rule: MapNode) -> Iterator[Problem]:
    """A rule without `match`."""
    named = rule.get("class")
    if named is not None and plain(named) == "by_text":
        yield _at(root, path, "`class: by_text` reads the text that `match` finds", "give it `match`")
    elif rule.get("exit_codes") is None:
        message = "a failure rule without a condition: it would match every run"
        yield _at(root, path, message, "give it `exit_codes` or `match`")


def _prompt_file(root: MapNode, path: Path, agent: Node) -> Iterator[Problem]:
    prompt = child(agent, "prompt")
    if not isinstance(prompt, ScalarNode) or prompt.value != "file":
        return
    if not any("prompt_file" in text for text in _texts(agent)):
        message = "`prompt: file`, but no argument names the file"
        yield _at(root, (*path, "prompt"), message, "put {{ prompt_file }} into `args`")


def _texts(node: Node) -> Iterator[str]:
    if isinstance(node, ScalarNode):
        yield node.raw
    for _, entry in map_entries(node):
        yield from _texts(entry.node)
    for _, item in list_items(node):
        yield from _texts(item)


def _output(root: MapNode, path: Path, agent: Node) -> Iterator[Problem]:
    """Pointers lead into JSON, `usage` is searched for in text."""
    output = child(agent, "output")
    style = child(output, "format")
    text = style is None or plain(style) == "text"
    for key, _ in map_entries(output):
        if text and key not in {"format", "usage"}:
            message = "points into JSON, but the output's format is text"
            hint = "add `format: json` or `format: jsonl`"
            yield _at_key(root, (*path, "output", key), message, hint)
        if key == "usage" and not text:
            message = "is looked for in text, but the output's format is JSON"
            hint = "point to cost and tokens with `cost_usd`, `input_tokens` and `output_tokens`"
            yield _at_key(root, (*path, "output", key), message, hint)


def _timeouts(root: MapNode) -> Iterator[Path]:
    yield ("host", "timeout")
    yield ("host", "poll")
    yield from (("limits", key) for key in TIMES)
    yield from (("limits", "work_package", key) for key in TIMES)
    for name, _ in map_entries(root.get("agents")):
        yield from (("agents", name, key) for key in ("timeout", "idle_timeout"))
    for number, _ in list_items(find(root, ("roles", "implement", "checks"))):
        yield ("roles", "implement", "checks", number, "timeout")


def _positive(root: MapNode, path: Path) -> Iterator[Problem]:
    node = find(root, path)
    if isinstance(node, ScalarNode) and node.value != "none" and seconds(str(node.value)) == 0:
        yield _at(root, path, "must be longer than nothing")
