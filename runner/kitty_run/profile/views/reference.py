"""The documentation of every key, from the schema: the part of `docs/profile.md` between its two marks."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kitty_run.profile.validation.schema import Schema, profile_schema, resolve

START = "<!-- Generated from schemas/profile.schema.json; refresh it with `pytest --snapshot-update`. -->"
END = "<!-- End of the keys. -->"

_TYPES = {
    "string": "text",
    "object": "mapping",
    "array": "list",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
}
_KINDS = {
    "duration": "duration",
    "regex": "regular expression",
    "pointer": "JSON pointer",
    "lock": "JSON pointer",
    "specifier": "range of versions",
    "version": "version",
    "size": "size",
}


def refreshed(page: str) -> str:
    """`page` with the text between the marks written anew; ValueError where a mark is missing."""
    head, found, rest = page.partition(START)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise ValueError("the marks of the generated part are missing")
    return f"{head}{START}\n\n{keys()}\n{END}{tail}"


def keys() -> str:
    """A section for each top-level key, with a table of all keys below it."""
    schema = profile_schema()
    required = schema["required"]
    sections = [_section(key, resolve(below), key in required) for key, below in _properties(schema)]
    return "\n".join([*sections, *_shared_shapes()])


def _properties(schema: Schema) -> list[tuple[str, Schema]]:
    return list(schema.get("properties", {}).items())


def _section(key: str, schema: Schema, required: bool) -> str:
    rows = list(_rows(key, schema))
    facts = [_type(schema)] + (["required"] if required else [])
    if "default" in schema:
        facts.append(f"default {_code(schema['default'])}")
    lines = [f"### `{key}`", "", f"*{', '.join(facts)}*", "", schema["description"], ""]
    if schema.get("examples"):
        lines += [f"Example: {_code(schema['examples'][0])}", ""]
    if rows:
        lines += ["| key | value | default | what it is |", "| --- | --- | --- | --- |", *rows, ""]
    return "\n".join(lines)


def _rows(path: str, schema: Schema) -> Iterator[str]:
    """A table row for each key below `schema`, in the schema's order."""
    for key, below in _properties(schema):
        found = resolve(below)
        needed = " (required)" if key in schema.get("required", ()) else ""
        default = _code(found["default"]) if "default" in found else ""
        description = found.get("description", "").replace("|", "\\|")
        yield f"| `{path}.{key}`{needed} | {_type(found)} | {default} | {description} |"
        if not _is_shared(below):
            yield from _rows(f"{path}.{key}", found)
    for word, mark in (("additionalProperties", ".NAME"), ("items", "[]")):
        if isinstance(schema.get(word), dict) and not ("properties" in schema and word != "items"):
            yield from _rows(f"{path}{mark}", resolve(schema[word]))


def _is_shared(schema: Schema) -> bool:
    """Whether the keys below are described once, further down: rows, backoffs, additions to a launch."""
    return str(schema.get("$ref", "")).rpartition("/")[2] in _SHARED


_SHARED = {
    "extra": "What `enforce` and `roles` add",
    "hostRow": "A row of `retry.host`",
    "agentRow": "A row of `retry.agent`",
    "reworkRow": "The row `retry.review.changes_requested`",
    "verdictRow": "The row `retry.review.no_verdict`",
    "backoff": "A row's backoff",
}


def _shared_shapes() -> Iterator[str]:
    """A table for each shape that is used in several places."""
    head = ["| key | value | default | what it is |", "| --- | --- | --- | --- |"]
    for name, title in _SHARED.items():
        rows = _rows("…", resolve(profile_schema()["$defs"][name]))
        yield "\n".join([f"### {title}", "", *head, *rows, ""])


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if kind := _KINDS.get(schema.get("x-kind", "")):
        return kind
    if "x-template" in schema:
        return "template"
    if schema.get("x-text"):
        return "text"
    types = schema["type"]
    words = [_TYPES[each] for each in ([types] if isinstance(types, str) else types)]
    return " or ".join(words)


def _code(value: object) -> str:
    """`value` as YAML on one line."""
    return "`" + _flow(value).replace("|", "\\|") + "`"


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    if isinstance(value, str) and value and not set(value) & set('{}[],:#"\\\n'):
        return value
    return json.dumps(value, ensure_ascii=False)
