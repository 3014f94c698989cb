"""Where an agent differs from its family's preset in a way that may touch policy, and at which line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kitty_run.profile.trust.degree import Reason
from kitty_run.profile.trust.families import Family
from kitty_run.profile.trust.options import is_harmless
from kitty_run.profile.validation.used_agents import UsedAgent, own_place
from kitty_run.profile.yaml.position import Place
from kitty_run.profile.yaml.tree import (
    MapNode,
    Node,
    Path,
    child,
    find,
    key_place,
    list_items,
    map_entries,
    plain,
    value_place,
)

LISTS: tuple[tuple[str, ...], ...] = (("command",), ("args",), ("resume", "args"))
"""The argument lists of an agent outside of `enforce` and `roles`."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One used agent of the profile `root`, and the family whose preset it is compared with."""

    root: MapNode
    used: UsedAgent
    family: Family

    def changes(self, selected: Sequence[tuple[str, ...]]) -> Iterator[Reason]:
        """All that differs; `selected` are the paths of the `enforce` entries that the policy chooses."""
        for path in LISTS:
            if path == ("command",) or find(self.used.node, path) is not None:
                yield from self._list(path)
        for path in selected:
            yield from self._enforce(path)
        for role in self.used.roles:
            yield from self._role(("roles", role))
        yield from self._passed()
        yield from self._set(("env", "set"))

    def _list(self, path: tuple[str, ...]) -> Iterator[Reason]:
        """The first argument that isn't the preset's, or what of the preset is missing."""
        found = [str(plain(item)) for _, item in list_items(find(self.used.node, path))]
        preset = [str(plain(item)) for _, item in list_items(find(self.family.agent, path))]
        at = _first_other(self.family, found, preset, self._ends_open(path))
        if at is None:
            return
        if at < len(found):
            yield self._reason((*path, at), f"{found[at]!r} is not in {self._preset(path)}")
        else:
            yield self._reason(path, f"it is not as in {self._preset(path)}: {' '.join(preset)!r}")

    def _ends_open(self, path: tuple[str, ...]) -> bool:
        """Whether what follows the list's last argument is the prompt."""
        prompt = child(self.used.node, "prompt")
        return path != ("command",) and prompt is not None and plain(prompt) == "argument"

    def _enforce(self, path: tuple[str, ...]) -> Iterator[Reason]:
        own, preset = find(self.used.node, path), find(self.family.agent, path)
        if preset is None or own is None or plain(own) != plain(preset):
            yield self._reason(path, f"it is not as in {self._preset(path)}")

    def _role(self, path: tuple[str, ...]) -> Iterator[Reason]:
        own, preset = find(self.used.node, path), find(self.family.agent, path)
        if own is None and preset is None:
            return
        arguments = (*path, "args") if isinstance(own, MapNode) else path
        if isinstance(preset, MapNode) == isinstance(own, MapNode) or preset is None:
            yield from self._list(arguments)
        else:
            yield self._reason(path, f"it is not as in {self._preset(path)}")
        yield from self._set((*path, "env"))

    def _passed(self) -> Iterator[Reason]:
        path = ("env", "pass")
        preset = {plain(item) for _, item in list_items(find(self.family.agent, path))}
        for number, item in list_items(find(self.used.node, path)):
            name = str(plain(item))
            if name not in preset and not self.family.spares_variable(name):
                yield self._reason((*path, number), f"{self._preset(path)} does not pass {name}")

    def _set(self, path: tuple[str, ...]) -> Iterator[Reason]:
        preset = dict(map_entries(find(self.family.agent, path)))
        own = dict(map_entries(find(self.used.node, path)))
        for name, entry in own.items():
            same = name in preset and plain(preset[name].node) == plain(entry.node)
            if not same and not self.family.spares_variable(name):
                yield self._reason((*path, name), f"{self._preset(path)} does not set {name} so")
        for name in preset:
            if name not in own and not self.family.spares_variable(name):
                yield self._reason(path, f"{name} is not set, as {self._preset(path)} sets it")

    def _preset(self, path: tuple[str, ...]) -> str:
        return f"{'/'.join(path)} of preset:{self.family.name}"

    def _reason(self, path: Path, what: str) -> Reason:
        whole = (*self.used.path, *path)
        return Reason(whole, place_of(self.root, self.used, whole), what)


def place_of(root: MapNode, used: UsedAgent, path: Path) -> Place:
    """The line of the value at `path`, in a file of the user's where there is one."""
    places = [value_place(root, path)] if find(root, path) is not None else []
    while not places:
        path = path[:-1]
        places = [key_place(root, path)] if find(root, path) is not None else []
    return own_place(*places, used.named_at(root))


def _first_other(family: Family, found: Sequence[str], preset: Sequence[str], ends_open: bool) -> int | None:
    """The number of the first argument that may touch policy: past the last where the preset has more."""
    at, known = 0, 0
    while at < len(found):
        if known < len(preset) and found[at] == preset[known]:
            at, known = at + 1, known + 1
        elif not _parts_a_pair(preset, known, ends_open) and (taken := is_harmless(family, found, at)):
            at += taken
        else:
            return at
    return None if known == len(preset) else at


def _parts_a_pair(preset: Sequence[str], known: int, ends_open: bool) -> bool:
    """Whether an argument before number `known` may come between an option and its value."""
    if known == 0 or not preset[known - 1].startswith("-"):
        return False
    return ends_open if known == len(preset) else not preset[known].startswith("-")


def arguments_of(node: Node | None) -> Node | None:
    """The list of arguments of an `enforce` or `roles` entry."""
    return child(node, "args") if isinstance(node, MapNode) else node
