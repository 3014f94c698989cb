"""A YAML document as a tree in which every value knows where it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kitty_run.profile.yaml.position import Place

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A scalar: `value` as YAML 1.2 core reads it, `raw` as it is written, `style` as in PyYAML."""

    place: Place
    value: Scalar
    raw: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A map's value, with the place of its key."""

    key: Place
    node: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping; keys are the texts as written (`yes` and `010` stay what they are)."""

    place: Place
    entries: Mapping[str, Entry]

    def get(self, key: str) -> Node | None:
        """The value of `key`, or None."""
        entry = self.entries.get(key)
        return entry.node if entry else None


Node: TypeAlias = ScalarNode | ListNode | MapNode
Path: TypeAlias = tuple[str | int, ...]


def plain(node: Node) -> object:
    """`node` as dicts, lists and scalars."""
    if isinstance(node, MapNode):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return node.value


def pointer(path: Path) -> str:
    """`path` as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def parse_pointer(text: str) -> tuple[str, ...]:
    """The parts of the JSON pointer `text`; ValueError, with the reason, where it isn't one."""
    if text == "":
        return ()
    if not text.startswith("/"):
        raise ValueError("a JSON pointer starts with /")
    parts = text[1:].split("/")
    for part in parts:
        if part.replace("~0", "").replace("~1", "").count("~"):
            raise ValueError("in a JSON pointer ~ is allowed only in ~0 (for ~) and ~1 (for /)")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def child(node: Node | None, part: str | int) -> Node | None:
    """The value at `part` of a map or a list, or None."""
    if isinstance(node, MapNode):
        return node.get(str(part))
    if isinstance(node, ListNode) and str(part).isdecimal() and int(part) < len(node.items):
        return node.items[int(part)]
    return None


def find(node: Node | None, path: Path | tuple[str, ...]) -> Node | None:
    """The value at `path` below `node`, or None."""
    for part in path:
        node = child(node, part)
    return node


def key_place(root: MapNode, path: Path) -> Place:
    """The place of the key (or list item) at `path`; of its nearest ancestor where there is none."""
    place, node = root.place, root
    current: Node | None = node
    for part in path:
        below = child(current, part)
        if below is None or current is None:
            break
        place = current.entries[str(part)].key if isinstance(current, MapNode) else below.place
        current = below
    return place


def value_place(root: MapNode, path: Path) -> Place:
    """The place of the value at `path`: of a scalar or a flow collection, its own; else of its key."""
    node = find(root, path)
    if isinstance(node, ScalarNode) and node.place.line == key_place(root, path).line:
        return node.place
    if isinstance(node, ScalarNode | ListNode) and isinstance(find(root, path[:-1]), ListNode):
        return node.place
    return key_place(root, path)


def map_entries(node: Node | None) -> Iterator[tuple[str, Entry]]:
    """The entries of a map; nothing for anything else."""
    if isinstance(node, MapNode):
        yield from node.entries.items()


def list_items(node: Node | None) -> Iterator[tuple[int, Node]]:
    """The items of a list with their numbers; nothing for anything else."""
    if isinstance(node, ListNode):
        yield from enumerate(node.items)


def as_map(node: Node) -> MapNode:
    """`node`, which must be a map."""
    if not isinstance(node, MapNode):
        raise TypeError(f"{node.place}: not a map")
    return node


def without(node: Node, paths: set[Path], at: Path = ()) -> Node:
    """`node` without the values at `paths`."""
    if isinstance(node, MapNode):
        entries = {
            key: Entry(entry.key, without(entry.node, paths, (*at, key)))
            for key, entry in node.entries.items()
            if (*at, key) not in paths
        }
        return MapNode(node.place, entries)
    if isinstance(node, ListNode):
        numbered = [(number, item) for number, item in enumerate(node.items) if (*at, number) not in paths]
        return ListNode(node.place, tuple(without(item, paths, (*at, number)) for number, item in numbered))
    return node
