"""The profile's JSON schema: where it is, and which part of it speaks of which value.

Beside the words of JSON Schema it uses `x-text` (numbers and booleans are taken as written), `x-kind`
(what a text must be: duration, regex, pointer, lock, specifier, version), `x-template` (which names it may
use) and `x-axis` (`policy_axes`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from kitty_run.profile.yaml.tree import (
    Entry,
    ListNode,
    MapNode,
    Node,
    Path,
    ScalarNode,
    list_items,
    map_entries,
)
from kitty_run.resources import schema_path

Schema: TypeAlias = Mapping[str, Any]

KEYS_OF_FILES = ("extends", "locked")
"""Keys that speak of the files that a profile is made of, not of the profile."""


@cache
def profile_schema() -> Schema:
    """The schema of a whole profile."""
    schema: Schema = json.loads(schema_path("profile").read_text(encoding="utf-8"))
    return schema


def resolve(schema: Schema) -> Schema:
    """`schema` with its `$ref` followed; keywords beside the reference win."""
    while "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**profile_schema()["$defs"][name], **beside}
    return schema


def sub_schema(schema: Schema, part: str | int) -> Schema | None:
    """What `schema` says of the value at `part`; None where it says nothing."""
    if isinstance(part, int):
        found = schema.get("items")
    else:
        found = schema.get("properties", {}).get(part, schema.get("additionalProperties"))
    return resolve(found) if isinstance(found, dict) else None


def walk(node: Node, schema: Schema, path: Path = ()) -> Iterator[tuple[Path, Node, Schema]]:
    """Every value of `node` that the schema speaks of, with what it says."""
    yield path, node, schema
    for key, entry in map_entries(node):
        if (below := sub_schema(schema, key)) is not None:
            yield from walk(entry.node, below, (*path, key))
    for number, item in list_items(node):
        if (below := sub_schema(schema, number)) is not None:
            yield from walk(item, below, (*path, number))


def as_text(node: Node, schema: Schema) -> Node:
    """`node` with the scalars that the schema wants as text (`x-text`) replaced by what is written."""
    if isinstance(node, MapNode):
        entries = {
            key: Entry(entry.key, as_text(entry.node, below))
            if (below := sub_schema(schema, key)) is not None
            else entry
            for key, entry in node.entries.items()
        }
        return MapNode(node.place, entries)
    if isinstance(node, ListNode):
        below = sub_schema(schema, 0)
        return node if below is None else ListNode(node.place, tuple(as_text(i, below) for i in node.items))
    if schema.get("x-text") and isinstance(node.value, int | float):
        return ScalarNode(node.place, node.raw, node.raw, node.style)
    return node
