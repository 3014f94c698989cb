"""The agents that roles use, and how their parts are found in the tree of a profile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kitty_run.profile.yaml.position import Place
from kitty_run.profile.yaml.tree import (
    MapNode,
    Node,
    Path,
    ScalarNode,
    child,
    find,
    list_items,
    map_entries,
    plain,
    value_place,
)


@dataclass(frozen=True)
class UsedAgent:
    """An agent that roles use: where each of them names it."""

    name: str
    node: MapNode
    roles: dict[str, Path]

    @property
    def path(self) -> Path:
        """Its pointer."""
        return ("agents", self.name)

    @property
    def family(self) -> str:
        """The family that it says it is of."""
        family = child(self.node, "family")
        return str(plain(family)) if family else self.name

    @property
    def words(self) -> list[str]:
        """The words of its command."""
        return [str(plain(item)) for _, item in list_items(child(self.node, "command"))]

    @cached_property
    def families(self) -> set[str]:
        """What its flags may be known by: its family, and its command's words."""
        return {word.rpartition("/")[2] for word in self.words} | {self.family}

    def named_at(self, root: MapNode) -> Place:
        """Where the first role names it."""
        return value_place(root, next(iter(self.roles.values())))


def used_agents(root: MapNode) -> Iterator[UsedAgent]:
    """The agents that roles of `root` use, each once."""
    named: dict[str, dict[str, Path]] = {}
    for role, entry in map_entries(root.get("roles")):
        for number, item in list_items(child(entry.node, "agents")):
            named.setdefault(str(plain(item)), {}).setdefault(role, ("roles", role, "agents", number))
    for name, roles in named.items():
        node = find(root, ("agents", name))
        if isinstance(node, MapNode):
            yield UsedAgent(name, node, roles)


def own_place(*places: Place) -> Place:
    """The first of `places` that is in a file of the user's."""
    return next((place for place in places if not place.source.shipped), places[0])


def scalars(node: Node | None, path: Path) -> Iterator[tuple[Path, ScalarNode]]:
    """Every scalar of `node`, which is at `path`."""
    if isinstance(node, ScalarNode):
        yield path, node
    for key, entry in map_entries(node):
        yield from scalars(entry.node, (*path, key))
    for number, item in list_items(node):
        yield from scalars(item, (*path, number))
