"""What of a change a reviewer is shown: `roles.review.diff`."""

from __future__ import annotations

import re
from dataclasses import dataclass

GENERATED = (
    *("*.lock", "*-lock.json", "*-lock.yaml", "npm-shrinkwrap.json", "go.sum", "gradle.lockfile"),
    *("*.min.js", "*.min.css", "*.map"),
)
"""Names of files that tools write: the schema's default, and a test holds the two together."""

LARGEST = 10_000_000
"""Bytes; a larger diff is read by nobody, and held by no prompt."""

_SIZE = re.compile(r"(\d{1,9})(B|kB|MB)\Z", re.ASCII)
_BYTES = {"B": 1, "kB": 1_000, "MB": 1_000_000}


@dataclass(frozen=True, slots=True)
class ReviewDiff:
    """At most `limit` bytes of diff; files whose names match one of `exclude` come last, by name and size."""

    limit: int = 200_000
    exclude: tuple[str, ...] = GENERATED


def size(text: str) -> int:
    """The bytes in `200kB`; ValueError where it is no size, or none that can be used."""
    match = _SIZE.match(text)
    if not match:
        raise ValueError(f"{text!r} is no size")
    number = int(match[1]) * _BYTES[match[2]]
    if number > LARGEST:
        raise ValueError(f"{text!r} is more than {LARGEST // 1_000_000}MB")
    return number
