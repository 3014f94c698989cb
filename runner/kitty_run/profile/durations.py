"""Durations as a profile writes them: `500ms`, `30s`, `5m`, `2h`."""

from __future__ import annotations

import re

PATTERN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)\Z", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """`text` in seconds; ValueError where it is no duration."""
    match = PATTERN.match(text)
    if not match:
        raise ValueError(f"{text!r} is not a duration")
    number, unit = match.groups()
    return float(number) * _SECONDS[unit]
