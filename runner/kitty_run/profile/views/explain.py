"""A loaded profile as YAML in which every value says where it came from, and one value's history."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kitty_run.errors import UsageError
from kitty_run.profile.load import Loaded
from kitty_run.profile.validation.nearest import nearest
from kitty_run.profile.validation.schema import profile_schema, sub_schema
from kitty_run.profile.yaml.position import Place
from kitty_run.profile.yaml.scalars import resolve
from kitty_run.profile.yaml.tree import (
    ListNode,
    MapNode,
    Node,
    Path,
    ScalarNode,
    child,
    find,
    key_place,
    map_entries,
    parse_pointer,
    plain,
    pointer,
    value_place,
)

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ -]*(?<! )\Z")
_MAX_COLUMN = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the resolved profile; `place` is that of the value it ends with."""

    text: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one layer says of a value; `removed`: it takes away what lower layers say."""

    place: Place
    value: object
    removed: bool = False


def as_yaml(loaded: Loaded) -> str:
    """The resolved profile as YAML, each value with a comment `# FILE:LINE`."""
    lines = list(_map_lines(_in_schema_order(loaded.resolved), 0))
    column = min(max((len(line.text) for line in lines if line.place), default=0), _MAX_COLUMN)
    return "".join(_commented(line, column) + "\n" for line in lines) + "".join(_trust(loaded))


def _trust(loaded: Loaded) -> Iterator[str]:
    """Comments on who holds the policy of each agent that a role uses."""
    for name, trust in loaded.trust.items():
        held = ", ".join(f"{axis} {degree}" for axis, degree in trust.degrees().items())
        yield f"# trust in what holds the policy of {name}: {held}\n"
        yield from (f"#   {reason.place}: {reason.what}\n" for reason in trust.reasons)


def tree_yaml(root: MapNode) -> str:
    """A resolved tree as YAML, without where its values came from."""
    return "".join(line.text + "\n" for line in _map_lines(_in_schema_order(root), 0))


def _in_schema_order(root: MapNode) -> MapNode:
    order = list(profile_schema()["properties"])
    entries = sorted(root.entries.items(), key=lambda item: order.index(item[0]))
    return MapNode(root.place, dict(entries))


def values(loaded: Loaded) -> list[dict[str, object]]:
    """Every value that is no map, with its pointer, file, line and column."""
    found = []
    for path, node in _leaves(loaded.resolved, ()):
        place = value_place(loaded.resolved, path)
        found.append({"pointer": pointer(path), "value": plain(node), **_position(place)})
    return found


def history(loaded: Loaded, text: str) -> list[Step]:
    """What the layers say of the value at the pointer `text`, the lowest first; the last one holds.

    Raises UsageError where no profile could have such a value.
    """
    try:
        path = parse_pointer(text)
    except ValueError as error:
        raise UsageError(f"{text!r}: {error}; like /policy/network_mode") from error
    _check_known(loaded, path)
    return [step for layer in loaded.layers if (step := _step(layer.root, path))]


def history_record(text: str, loaded: Loaded, steps: list[Step]) -> dict[str, object]:
    """The history as plain data, for programs."""
    node = find(loaded.resolved, parse_pointer(text))
    records = [{"value": step.value, "removed": step.removed, **_position(step.place)} for step in steps]
    return {"pointer": text, "value": plain(node) if node else None, "history": records}


def history_text(text: str, loaded: Loaded, steps: list[Step]) -> str:
    """The history for people: what holds, and what each layer said."""
    path = parse_pointer(text)
    node = find(loaded.resolved, path)
    now = _inline(node) if node else _unset(path)
    width = max((len(str(step.place)) for step in steps), default=0)
    lines = [f"{text}: {now}"]
    for number, step in enumerate(steps, 1):
        mark = "   <- holds" if number == len(steps) and node is not None else ""
        said = "removed" if step.removed else json.dumps(step.value, ensure_ascii=False)
        lines.append(f"  {step.place!s:{width}}  {said}{mark}")
    return "\n".join(lines) + "\n"


def _step(root: MapNode, path: tuple[str, ...]) -> Step | None:
    node: Node | None = root
    for depth, part in enumerate(path):
        node = child(node, part)
        if isinstance(node, ScalarNode) and node.value is None:
            return Step(key_place(root, path[: depth + 1]), None, removed=True)
    return None if node is None else Step(value_place(root, path), plain(node))


def _check_known(loaded: Loaded, path: tuple[str, ...]) -> None:
    """Walk the schema along `path`; an unknown part is a mistake, and the nearest one is named."""
    schema = profile_schema()
    node: Node | None = loaded.resolved
    for depth, part in enumerate(path):
        in_list = isinstance(node, ListNode)
        below = sub_schema(schema, int(part) if in_list and part.isdecimal() else part)
        node = child(node, part)
        if below is None:
            known = list(schema.get("properties", ()))
            where = pointer(path[:depth]) or "/"
            raise UsageError(f"{pointer(path)}: {where} has no key {part!r} ({nearest(part, known)})")
        schema = below


def _unset(path: tuple[str, ...]) -> str:
    schema = profile_schema()
    for part in path:
        schema = sub_schema(schema, part) or {}
    if "default" in schema:
        return f"not set; by default {json.dumps(schema['default'], ensure_ascii=False)}"
    return "not set"


def _position(place: Place) -> dict[str, object]:
    return {"file": place.source.name, "line": place.line, "column": place.column}


def _leaves(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    if not isinstance(node, MapNode) or not node.entries:
        yield path, node
    for key, entry in map_entries(node):
        yield from _leaves(entry.node, (*path, key))


def _commented(line: Line, column: int) -> str:
    return line.text if line.place is None else f"{line.text:{column}}  # {line.place}"


def _map_lines(node: MapNode, indent: int) -> Iterator[Line]:
    for key, entry in node.entries.items():
        head = f"{' ' * indent}{_scalar(key)}:"
        value = entry.node
        if isinstance(value, MapNode) and value.entries:
            yield Line(head)
            yield from _map_lines(value, indent + 2)
        elif isinstance(value, ListNode) and any(isinstance(item, MapNode) for item in value.items):
            yield Line(head)
            yield from _item_lines(value, indent + 2)
        elif isinstance(value, ScalarNode) and isinstance(value.value, str) and _fits_block(value.value):
            yield from _block_lines(head, value.value, indent, value.place)
        else:
            yield Line(f"{head} {_inline(value)}", value.place)


def _item_lines(node: ListNode, indent: int) -> Iterator[Line]:
    for item in node.items:
        if isinstance(item, MapNode) and item.entries:
            first, *rest = _map_lines(item, indent + 2)
            yield Line(f"{' ' * indent}- {first.text.lstrip(' ')}", first.place)
            yield from rest
        else:
            yield Line(f"{' ' * indent}- {_inline(item)}", item.place)


def _fits_block(text: str) -> bool:
    """Whether a literal block can hold `text` as it is: several lines, one final newline at most."""
    lines = text.split("\n")
    plain_end = text.rstrip("\n") + "\n" in {text, text + "\n"}
    printable = all(character.isprintable() or character == "\n" for character in text)
    return len(lines) > 1 and bool(lines[0]) and lines[0][0] != " " and plain_end and printable


def _block_lines(head: str, text: str, indent: int, place: Place) -> Iterator[Line]:
    yield Line(f"{head} {'|' if text.endswith(chr(10)) else '|-'}", place)
    for line in text.removesuffix("\n").split("\n"):
        yield Line(f"{' ' * (indent + 2)}{line}" if line else "")


def _inline(node: Node) -> str:
    if isinstance(node, MapNode):
        return "{" + ", ".join(f"{_scalar(k)}: {_inline(e.node)}" for k, e in node.entries.items()) + "}"
    if isinstance(node, ListNode):
        return "[" + ", ".join(_inline(item) for item in node.items) + "]"
    return _scalar(node.value)


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.match(value) and _is_text(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _is_text(text: str) -> bool:
    try:
        return isinstance(resolve(text), str)
    except ValueError:
        return False
