"""A quick yes for documents that fit the schema, so that a sound profile never waits for jsonschema.

It never decides that something is wrong: where it doubts, or meets a word it doesn't know, it says no, and
`schema_check` asks jsonschema, which finds what is wrong or overrules the doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from kitty_run.profile.validation.schema import Schema, resolve

_SILENT = frozenset(
    {"$schema", "$defs", "title", "description", "default", "examples", "additionalProperties"}
)
"""Words that don't limit values; `additionalProperties` is read together with `properties`."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "object": (dict,),
    "array": (list,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def fits(value: Any, schema: Schema, *, partial: bool = False) -> bool:
    """Whether `value` fits `schema` beyond doubt; `partial`: keys may be missing."""
    schema = resolve(schema)
    for word, limit in schema.items():
        if word in _SILENT or word.startswith("x-") or (partial and word == "required"):
            continue
        check = _CHECKS.get(word)
        if check is None or not check(value, limit):
            return False
    return _children_fit(value, schema, partial)


def _children_fit(value: Any, schema: Schema, partial: bool) -> bool:
    if isinstance(value, list):
        items = schema.get("items")
        return items is None or all(fits(item, items, partial=partial) for item in value)
    if not isinstance(value, dict):
        return True
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for key, below in value.items():
        schema_of_key = known.get(key, others)
        if not isinstance(schema_of_key, dict) or not fits(below, schema_of_key, partial=partial):
            return False
    return True


def _is_type(value: Any, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    return any(type(value) in _TYPES.get(name, ()) for name in names)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _number(check: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, limit: not isinstance(value, int | float) or check(value, limit)


def _sized(kind: type[str] | type[list[Any]] | type[dict[str, Any]]) -> Callable[[Any, Any], bool]:
    return lambda value, limit: not isinstance(value, kind) or len(value) >= limit


_CHECKS: Mapping[str, Callable[[Any, Any], bool]] = {
    "type": _is_type,
    "const": lambda value, limit: type(value) is type(limit) and bool(value == limit),
    "enum": lambda value, limit: isinstance(value, str) and value in limit,
    "pattern": lambda value, limit: not isinstance(value, str) or bool(_pattern(limit).search(value)),
    "minimum": _number(lambda value, limit: value >= limit),
    "maximum": _number(lambda value, limit: value <= limit),
    "exclusiveMinimum": _number(lambda value, limit: value > limit),
    "minLength": _sized(str),
    "minItems": _sized(list),
    "minProperties": _sized(dict),
    "uniqueItems": lambda value, _: (
        isinstance(value, list)
        and all(isinstance(item, str) for item in value)
        and len(set(value)) == len(value)
    ),
    "required": lambda value, limit: isinstance(value, dict) and all(key in value for key in limit),
    "properties": lambda *_: True,
    "items": lambda *_: True,
    "propertyNames": lambda value, limit: (
        not isinstance(value, dict) or all(bool(_pattern(limit["pattern"]).search(key)) for key in value)
    ),
}
