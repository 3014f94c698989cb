"""Command lines as data: a list of arguments with `{placeholders}`, parts that depend on a value, and JSON.

An item is one argument, never re-split:

- a string, in which `{name}` is a value of the call;
- `{each: name}`: one argument for each string of the list `name`;
- `{json: {...}}`: one argument, the object as JSON, with placeholders in its strings;
- `{when: name, args: [...]}`: the items of `args` where the value `name` is given (not None, False or empty);
- `{when: {name: [a, b]}, args: [...]}`: the same where the value `name` is one of those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

Item = str | Mapping[str, object]
Values = Mapping[str, object]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def render(items: Sequence[Item], values: Values) -> tuple[str, ...]:
    """The argv for `items`; KeyError for a placeholder that the call has no value for."""
    return tuple(argument for item in items for argument in _arguments(item, values))


def _arguments(item: Item, values: Values) -> Iterator[str]:
    if isinstance(item, str):
        yield fill(item, values)
    elif "each" in item:
        yield from (str(value) for value in cast("Sequence[object]", values[str(item["each"])]))
    elif "json" in item:
        yield json.dumps(_fill_deep(item["json"], values))
    elif _holds(item["when"], values):
        for part in cast("Sequence[Item]", item["args"]):
            yield from _arguments(part, values)


def _holds(condition: object, values: Values) -> bool:
    if isinstance(condition, Mapping):
        return all(values[str(name)] in accepted for name, accepted in condition.items())
    return bool(values[str(condition)])


def fill(text: str, values: Values) -> str:
    """`text` with its `{placeholders}` filled in; values are never looked at for placeholders themselves."""
    return _PLACEHOLDER.sub(lambda found: str(values[found.group(1)]), text)


def _fill_deep(value: object, values: Values) -> object:
    if isinstance(value, Mapping):
        return {str(key): _fill_deep(part, values) for key, part in value.items()}
    return fill(value, values) if isinstance(value, str) else value
