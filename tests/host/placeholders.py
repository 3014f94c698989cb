"""The names that a dialect's argv refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def placeholders(items: object) -> frozenset[str]:
    """Every name that `items` refer to, in whatever form."""
    return frozenset(_names(items))


def _names(item: object) -> Iterator[str]:
    if isinstance(item, str):
        yield from _PLACEHOLDER.findall(item)
    elif isinstance(item, list | tuple):
        for part in item:
            yield from _names(part)
    elif isinstance(item, Mapping):
        yield from _names_of_map(item)


def _names_of_map(item: Mapping[str, object]) -> Iterator[str]:
    condition = item.get("when", item.get("each"))
    if isinstance(condition, str):
        yield condition
    elif isinstance(condition, Mapping):
        yield from (str(name) for name in condition)
    else:
        for value in item.values():
            yield from _names(value)
    yield from _names(item.get("args", ()))
