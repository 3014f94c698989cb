"""`locked`: what a layer and its own bases say below a pointer is what the resolved profile must hold.

It doesn't matter where in the chain another layer comes in: before the locking one, after it, or by `--set`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kitty_run.profile.extends.merge import Layer, layer_body, merge_layers
from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.validation.schema import as_text, profile_schema
from kitty_run.profile.yaml.position import Place
from kitty_run.profile.yaml.tree import (
    Entry,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    as_map,
    child,
    find,
    key_place,
    map_entries,
    plain,
    pointer,
    value_place,
)

Pointer = tuple[str, ...]

KEEPS_POLICY = (
    "family",
    "command",
    "enforce",
    "roles",
    "args",
    "env",
    "sandbox",
    "home",
    "network",
    "resume",
)
"""What of an agent decides whether it keeps the policy."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A pointer that a layer locks, with the place where it says so and the tree that this fixes."""

    path: Pointer
    place: Place
    layer: Layer
    fixed: MapNode


@dataclass(frozen=True, slots=True)
class Locks:
    """All locks of a chain, the lowest layer's first."""

    locks: tuple[Lock, ...]

    @classmethod
    def of(cls, defaults: Layer, layers: Sequence[Layer]) -> Locks:
        """The locks of `layers`; a layer that locks the policy locks what of its agents keeps it."""
        return cls(tuple(lock for layer in layers if layer.locked for lock in _of_layer(defaults, layer)))

    def broken(self, root: MapNode, layers: Sequence[Layer]) -> Iterator[Problem]:
        """A problem for each value of the resolved tree `root` that differs from what a lock fixed."""
        resolved, reported = _typed(root), set[Pointer]()
        for lock in self.locks:
            for path in _differences(find(lock.fixed, lock.path), find(resolved, lock.path), lock.path):
                if path not in reported:
                    reported.add(path)
                    hint = f"locked at {lock.place}{_by(lock, path)}; {_state(lock.fixed, path)}"
                    yield Problem.at(
                        _changed_at(lock, path, root, layers),
                        pointer(path),
                        "is locked and can't be changed",
                        hint,
                    )

    def written(self, root: MapNode) -> MapNode:
        """`root` with all that is locked under its key `locked`."""
        if not self.locks:
            return root
        places: dict[Pointer, Place] = {}
        for lock in self.locks:
            places.setdefault(lock.path, lock.place)
        items = tuple(ScalarNode(place, pointer(path), pointer(path)) for path, place in places.items())
        first = self.locks[0].place
        return MapNode(root.place, {**root.entries, "locked": Entry(first, ListNode(first, items))})


def _of_layer(defaults: Layer, layer: Layer) -> Iterator[Lock]:
    fixed = _typed(merge_layers(defaults, layer.chain))
    for path, place in layer.locked:
        yield Lock(path, place, layer, fixed)
    for path, place in layer.locked:
        if path in {("policy",), ("policy", "network_mode")}:  # whom an allow-list lets through is part of it
            yield Lock(("network",), place, layer, fixed)
    named = {path[1] for path, _ in layer.locked if path[0:1] == ("agents",) and len(path) > 1}
    if any(path in ((), ("agents",)) for path, _ in layer.locked):
        return
    for path, place in layer.locked:
        for name, _ in map_entries(fixed.get("agents")):
            for keys in _kept_by(path) if name not in named else ():
                yield Lock(("agents", name, *keys), place, layer, fixed)


def _kept_by(path: Pointer) -> tuple[Pointer, ...]:
    """What of each agent a lock on `path` closes too: all that keeps the policy, or how one axis is kept."""
    if path == ("policy",):
        return tuple((key,) for key in KEEPS_POLICY)
    if len(path) == 2 and path[0] == "policy" and path[1] in policy_axes():
        hosts = (("network",),) if path[1] == "network_mode" else ()
        return (("enforce", path[1]), ("sandbox",), ("home",), *hosts)
    return ()


def _typed(root: MapNode) -> MapNode:
    """`root` as the profile means it: a number where text is wanted is what is written."""
    return as_map(as_text(root, profile_schema()))


def _differences(fixed: Node | None, found: Node | None, path: Pointer) -> Iterator[Pointer]:
    """Where `found` says something else than `fixed`, as deep as both are maps."""
    if isinstance(fixed, MapNode) and isinstance(found, MapNode):
        for key in {**fixed.entries, **found.entries}:
            yield from _differences(fixed.get(key), found.get(key), (*path, key))
    elif (fixed is None) != (found is None) or (fixed and found and not _same(fixed, found)):
        yield path


def _same(one: Node, other: Node) -> bool:
    return repr(plain(one)) == repr(plain(other))  # `1 == True`, and `1 == 1.0`


def _changed_at(lock: Lock, path: Pointer, root: MapNode, layers: Sequence[Layer]) -> Place:
    """Where a layer that isn't the locking one's own says something of `path`, the highest first."""
    own = lock.layer.chain
    for layer in reversed(layers):
        if not any(layer is each for each in own) and (place := _touched(layer_body(layer), path)):
            return place
    return value_place(root, path)


def _touched(body: MapNode, path: Pointer) -> Place | None:
    """The place in `body` that decides about `path`: its value, or one above it that is no map."""
    node: Node = body
    for depth, part in enumerate(path):
        below = child(node, part)
        if below is None:
            return None
        if not isinstance(below, MapNode):
            return value_place(body, path[: depth + 1])
        node = below
    return value_place(body, path)


def _by(lock: Lock, path: Pointer) -> str:
    return "" if path == lock.path else f" ({pointer(lock.path) or 'everything'})"


def _state(root: MapNode, path: Pointer) -> str:
    node = find(root, path)
    if node is None:
        return "it is not set there"
    value = plain(node)
    shown = f" to {value!r}" if isinstance(node, ScalarNode) else ""
    return f"it is set{shown} at {key_place(root, path)}"
