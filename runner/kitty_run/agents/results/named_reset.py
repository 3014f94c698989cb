"""The moment that a limit's own text names for its end, where a rule doesn't say where to look. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from kitty_run.agents.results.reset_times import parse_field, parse_start

_GAP = r"[^\"\n]{0,40}?"
_PROSE = r"(?=(?P<prose>[^\"\n]{1,120}))"
_IS = r"\\{0,3}\"?\s{0,4}[:=]\s{0,4}\\{0,3}\"?(?=(?P<field>[^\"\n]{1,60}))"

_LIMIT_ENDS = r"\b(?:resets?|renews?|refresh(?:es)?|replenish(?:es)?|refills?|available again|access)\b"
_NEXT_TRY = r"\b(?:try|retry|come back|wait)(?:ing)?\b"

_RANKS = (
    (
        rf"\b(?:quota_?)?resets?_?(?:at|time|timestamp|date){_IS}",
        rf"\bresets?_?in_?(?:seconds|secs){_IS}",
        rf"\bratelimit-(?:\w+-)?reset(?:-\w+)?{_IS}",
    ),
    (
        rf"{_LIMIT_ENDS}{_GAP}\b(?:at|on|in|after|by)\b:?\s+{_PROSE}",
        rf"\bresets?:?\s+{_PROSE}",
    ),
    (
        rf"{_NEXT_TRY}{_GAP}\b(?:at|on|in|after|until)\b:?\s+{_PROSE}",
        rf"\bretry[-_ ]?(?:after|delay)(?:[-_]?(?:seconds|secs))?{_IS}",
        r"\bretry[-_]?(?:after|delay)[-_]?ms\\{0,3}\"?\s{0,4}[:=]\s{0,4}\\{0,3}\"?(?P<ms>\d{1,12})",
        rf"\bwait(?:ing)?\s+(?:for\s+)?{_PROSE}",
    ),
)
RANKS = tuple(tuple(re.compile(each, re.IGNORECASE) for each in patterns) for patterns in _RANKS)
"""What names a moment, the surest first: fields of the service, what a limit says of its own end, and what is
said of the next try."""


def named_reset(text: str, now: datetime) -> datetime | None:
    """When the limit that `text` is about ends, or None where it names no moment that can be read.

    `text` is what an agent's CLI wrote of the limit: prose, JSON (quoted once more or not) or headers. Where
    it names several moments, the surest kind wins (see `RANKS`), and of the same kind the last one. `now`
    is aware, as in `reset_times.parse`.
    """
    for patterns in RANKS:
        matches = [found for each in patterns for found in each.finditer(text)]
        for match in sorted(matches, key=lambda each: (-each.start(), each.end())):
            if (moment := _moment(match.groupdict(), now)) is not None:
                return moment
    return None


def _moment(found: dict[str, str | None], now: datetime) -> datetime | None:
    if milliseconds := found.get("ms"):
        return parse_field(f"{milliseconds}ms", now)
    if field := found.get("field"):
        return parse_field(field, now)
    return parse_start(found.get("prose") or "", now)
