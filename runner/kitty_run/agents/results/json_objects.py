"""JSON objects in an agent's text, read as a person would: with a comma too many, fenced or not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_SPARE_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
_OPENING = re.compile(r'\{(?=\s*["}])')

AMBIGUOUS = None
"""The value of a key that an object has twice with different values."""


def objects(text: str) -> Iterator[dict[str, object]]:
    """The outermost objects in `text`, in their order; what is no object is passed over."""
    tidy = _SPARE_COMMA.sub(lambda found: found[1] or "", text)
    decoder = json.JSONDecoder(object_pairs_hook=_pairs, strict=False)
    position = 0
    while opening := _OPENING.search(tidy, position):
        try:
            found, position = decoder.raw_decode(tidy, opening.start())
        except (ValueError, RecursionError):
            position = opening.end()
            continue
        yield found


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        found[name] = value if found.get(name, value) == value else AMBIGUOUS
    return found
