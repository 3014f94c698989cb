"""Layers of a profile become one tree: maps merge, everything else is replaced, `null` removes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kitty_run.profile.validation.schema import KEYS_OF_FILES
from kitty_run.profile.yaml.position import Place, Source
from kitty_run.profile.yaml.tree import (
    Entry,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    as_map,
    find,
    map_entries,
    parse_pointer,
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One file (or `--set`) of a profile's chain, as it was read, with the files that it extends itself."""

    source: Source
    root: MapNode
    bases: tuple[Layer, ...] = field(default=(), compare=False, repr=False)

    @property
    def chain(self) -> tuple[Layer, ...]:
        """All that this layer is made of, the lowest first and itself last, each file once."""
        found: dict[int, Layer] = {}
        for base in self.bases:
            found |= {id(layer): layer for layer in base.chain if id(layer) not in found}
        return (*found.values(), self)

    @property
    def locked(self) -> list[tuple[tuple[str, ...], Place]]:
        """What this layer locks, with the place where it says so; wrong pointers are left out."""
        return list(_locked(self.root))


def merge(base: Node | None, over: Node) -> Node:
    """`over` on top of `base`; neither is changed. `null` entries of `over` remove, and never remain."""
    if not isinstance(over, MapNode):
        return over
    below = base.entries if isinstance(base, MapNode) else {}
    entries = dict(below)
    for key, entry in over.entries.items():
        if isinstance(entry.node, ScalarNode) and entry.node.value is None:
            entries.pop(key, None)
        else:
            old = below.get(key)
            entries[key] = Entry(entry.key, merge(old.node if old else None, entry.node))
    return MapNode(over.place, entries)


def merge_layers(defaults: Layer, layers: Sequence[Layer]) -> MapNode:
    """The resolved tree of `layers` (the lowest first) over `defaults`, without what they lock."""
    own = MapNode(defaults.root.place, {})
    for layer in layers:
        body = layer_body(layer)
        own = as_map(merge(_make_room(own, body, only_terminal=True), body))
    return _over_defaults(Layer(defaults.source, _without_removed_rows(defaults.root, layers)), own)


TERMINAL = ("skip", "pause", "block", "abort")
"""What a retry row can do that nothing more of it follows."""


_LASTING_ROWS = frozenset({"default", "changes_requested", "no_verdict"})
"""Rows that every failure may fall back on: removing them brings the shipped ones back."""


def _without_removed_rows(defaults: MapNode, layers: Sequence[Layer]) -> MapNode:
    """The defaults without the retry rows that `layers` remove in the end; `default` rows step in there."""
    kept = defaults
    for layer in layers:
        for table, rows in map_entries(layer.root.get("retry")):
            for key, row in map_entries(rows.node):
                removed = isinstance(row.node, ScalarNode) and row.node.value is None
                path = ("retry", table, key)
                kept = _put(
                    kept, path, None if removed and key not in _LASTING_ROWS else find(defaults, path)
                )
    return kept


def _put(root: MapNode, path: tuple[str, ...], node: Node | None) -> MapNode:
    """`root` with `node` at `path` (below maps that are there), or without anything there."""
    key, *rest = path
    entries = dict(root.entries)
    below = entries.get(key)
    if rest and below and isinstance(below.node, MapNode):
        entries[key] = Entry(below.key, _put(below.node, tuple(rest), node))
    elif node is None:
        entries.pop(key, None)
    else:
        entries[key] = Entry(below.key if below else node.place, node)
    return MapNode(root.place, entries)


def _over_defaults(defaults: Layer, own: MapNode) -> MapNode:
    """`own` over the defaults, whose retry rows make room for those that `own` writes with a `do`."""
    return as_map(merge(_make_room(defaults.root, own, only_terminal=False), own))


def _make_room(below: MapNode, over: MapNode, *, only_terminal: bool) -> MapNode:
    """`below` without the retry rows of which nothing must be inherited by the rows of `over`.

    A terminal `do` (else any) starts a row anew: what it would inherit could never be reached.
    """
    retry = below.entries.get("retry")
    if retry is None or not isinstance(retry.node, MapNode):
        return below
    tables = dict(retry.node.entries)
    for name, table in retry.node.entries.items():
        rows = dict(map_entries(table.node))
        for key in rows.copy():
            do = find(over, ("retry", name, key, "do"))
            if isinstance(do, ScalarNode) and (do.value in TERMINAL or not only_terminal):
                del rows[key]
        if isinstance(table.node, MapNode):
            tables[name] = Entry(table.key, MapNode(table.node.place, rows))
    entry = Entry(retry.key, MapNode(retry.node.place, tables))
    return MapNode(below.place, {**below.entries, "retry": entry})


def layer_body(layer: Layer) -> MapNode:
    """What `layer` says of the profile, without what it says of the layers themselves."""
    entries = {key: entry for key, entry in layer.root.entries.items() if key not in KEYS_OF_FILES}
    return MapNode(layer.root.place, entries)


def _locked(root: MapNode) -> Iterator[tuple[tuple[str, ...], Place]]:
    locked = root.get("locked")
    for item in locked.items if isinstance(locked, ListNode) else ():
        if isinstance(item, ScalarNode) and isinstance(item.value, str):
            try:
                yield parse_pointer(item.value), item.place
            except ValueError:
                continue
