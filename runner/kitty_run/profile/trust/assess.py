"""The degree of each agent that roles use, axis by axis, with the lines that lower it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath

from kitty_run.profile.policy_axes import PolicyAxis, policy_axes
from kitty_run.profile.trust.changes import Comparison, place_of
from kitty_run.profile.trust.degree import AgentTrust, AxisTrust, Degree, Reason
from kitty_run.profile.trust.families import family_called, family_names, program_of, programs
from kitty_run.profile.trust.options import is_template
from kitty_run.profile.validation.sandbox_check import is_left
from kitty_run.profile.validation.used_agents import UsedAgent, used_agents
from kitty_run.profile.yaml.position import Place
from kitty_run.profile.yaml.tree import MapNode, child, find, list_items, plain

FILES = "sandbox_mode"
"""The axis that says where an agent may write."""


def assess(root: MapNode) -> dict[str, AgentTrust]:
    """The trust in each agent that a role of the resolved profile `root` uses, by name."""
    return {used.name: _Assessment(root, used).trust() for used in used_agents(root)}


class _Assessment:
    """One agent under the profile's policy."""

    def __init__(self, root: MapNode, used: UsedAgent) -> None:
        self._root = root
        self._used = used
        self._family = family_called(used.family) if used.family in family_names() else None

    def trust(self) -> AgentTrust:
        values = {axis: _text(find(self._root, ("policy", axis))) for axis in policy_axes()}
        selected = [("enforce", axis, value) for axis, value in values.items()]
        found = [*self._program(), *self._changes(selected)]
        changed = tuple({reason.path: reason for reason in reversed(found)}.values())[::-1]
        axes = {name: self._axis(axis, values[name], changed) for name, axis in policy_axes().items()}
        return AgentTrust(self._used.name, axes)

    def _axis(self, axis: PolicyAxis, value: str, changed: tuple[Reason, ...]) -> AxisTrust:
        restricts = value != axis.unrestricted
        if self._in_sandbox(axis, value):
            escapes = (*self._leaving(), *(self._written() if axis.name == FILES else ()))
            return AxisTrust(Degree.DECLARED if escapes else Degree.CONFINED, restricts, escapes)
        if changed:
            return AxisTrust(Degree.DECLARED, restricts, changed)
        if self._family is not None and value in self._family.checked.get(axis.name, ()):
            return AxisTrust(Degree.CLI, restricts)
        path = (*self._used.path, "enforce", axis.name, value)
        what = f"nobody checked against the command line that it keeps {axis.name}: {value}"
        return AxisTrust(Degree.DECLARED, restricts, (Reason(path, self._place(path), what),))

    def _in_sandbox(self, axis: PolicyAxis, value: str) -> bool:
        sandbox = child(self._used.node, "sandbox")
        extra = find(self._used.node, ("enforce", axis.name, value))
        return sandbox is not None and plain(sandbox) != "none" and extra is not None and is_left(extra)

    def _changes(self, selected: Sequence[tuple[str, ...]]) -> Iterator[Reason]:
        if self._family is None:
            path = (*self._used.path, "family") if child(self._used.node, "family") else self._used.path
            what = f"no preset is of the family {self._used.family!r}: only the profile says what it keeps"
            yield Reason(path, self._place(path), what)
            return
        yield from Comparison(self._root, self._used, self._family).changes(selected)

    def _program(self) -> Iterator[Reason]:
        """What its program is, where that is not simply the agent's."""
        word = self._used.words[0] if self._used.words else ""
        path = (*self._used.path, "command", 0)
        if what := _program(word, self._place(path)):
            yield Reason(path, self._place(path), what)

    def _leaving(self) -> Iterator[Reason]:
        """What may start it where the runner's sandbox isn't."""
        for number, word in enumerate(self._used.words):
            if (name := program_of(word)) in programs().leave:
                path = (*self._used.path, "command", number)
                what = f"{name!r} starts a program that may run outside of the sandbox"
                yield Reason(path, self._place(path), what)

    def _written(self) -> Iterator[Reason]:
        """Where it may write besides, though its family's preset doesn't need it."""
        listed = child(self._family.agent, "home") if self._family else None
        known = [plain(item) for _, item in list_items(listed)]
        for number, item in list_items(child(self._used.node, "home")):
            if plain(item) not in known:
                path = (*self._used.path, "home", number)
                what = f"it may write to ~/{plain(item)} too, which no preset of its family lists"
                yield Reason(path, self._place(path), what)

    def _place(self, path: tuple[str | int, ...]) -> Place:
        return place_of(self._root, self._used, path)


def _program(word: str, place: Place) -> str:
    """What is to say about the first word of a command; empty where it is a plain program."""
    name = program_of(word)
    if is_template(word):
        return f"{word!r} may be another program in every run"
    if name in programs().leave or _starts(name):
        return f"{name!r} starts another program"
    if "/" in word and not word.startswith("/"):
        return f"{word!r} is a path in the workspace: an agent can change the program"
    if word.startswith("/") and _in_repository(word, place):
        return f"{word!r} is a file of the repository: an agent can change the program"
    return ""


def _starts(name: str) -> bool:
    """Whether the program starts others: `python3.12` and `node24` do as `python3` and `node`."""
    known = programs().start
    return name in known or name.rstrip("0123456789.") in known


def _in_repository(program: str, place: Place) -> bool:
    """Whether `program` is below the repository of the file that names it."""
    file = place.source.path
    folders = file.resolve().parents if file is not None else ()
    top = next((folder for folder in folders if (folder / ".git").exists()), None)
    return top is not None and FilePath(program).resolve().is_relative_to(top)


def _text(node: object) -> str:
    value = getattr(node, "value", "")
    return value if isinstance(value, str) else ""
