"""Durations as a profile writes them (`500ms`, `30s`, `5m`, `2h`), and as people say them."""

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


def duration(number: float) -> str:
    """That many seconds for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if number < 9.95:
        return f"{number:.1f} s"
    minutes, rest = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"
