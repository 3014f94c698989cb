"""When a limit ends, from what an agent's service says of it. Pure: the present is given."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

JUST_PAST = timedelta(minutes=10)
"""A clock time that is over by less than this has just passed; it does not mean tomorrow."""

FARTHEST = timedelta(days=400)
MILLISECONDS_FROM = 100_000_000_000
EPOCH_FROM = 1_000_000_000
"""Smaller bare numbers are seconds from now, as in Retry-After."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SPAN = re.compile(
    r"(\d+(?:\.\d+)?)\s*(ms|milliseconds?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)(?![A-Za-z])",
    re.I,
)
_SPAN_FILLER = re.compile(r"(?:[\s,.]|\b(?:and|in|about|after)\b)*", re.I)
_ZONE = re.compile(r"\(([A-Za-z][\w+/-]*)\)|\b(UTC|GMT)\b|(?<=\d)Z\b")
_CLOCK = re.compile(
    r"(?<![\d:])(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*([ap])\.?m\b|(?<![\d:])(\d{1,2}):(\d{2})", re.I
)
_DATE = re.compile(
    rf"\b({'|'.join(MONTHS)})[a-z]*\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(\d{{4}})\b)?", re.I
)
_WEEKDAY = re.compile(rf"\b({'|'.join(DAYS)})[a-z]*\b", re.I)


def parse(text: str, now: datetime) -> datetime | None:
    """The moment that `text` names, aware, or None where it names none.

    Understood: seconds or milliseconds since the epoch, seconds from now (below a billion), ISO 8601, an
    HTTP date, spans (`2h 5m`, `in 45 seconds`), and clock times with or without a date, a weekday and a
    zone (`3pm (Europe/Berlin)`, `Nov 25th, 2026 1:30 PM`). A time without a zone is in that of `now`,
    which must be aware; a clock time without a date is the next one.
    """
    text = text.strip().strip("\"'").rstrip(".")
    for reading in (_number, _iso, _http_date, _span, _calendar):
        found = _careful(reading, text, now)
        if found is not None:
            return found if abs(found - now) <= FARTHEST else None
    return None


Reading = Callable[[str, datetime], datetime | None]


def _careful(reading: Reading, text: str, now: datetime) -> datetime | None:
    try:
        return reading(text, now)
    except (ValueError, OverflowError, OSError):
        return None  # numbers that are no date, such as the 31st of February


def _number(text: str, now: datetime) -> datetime | None:
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    if value < EPOCH_FROM:
        return now + timedelta(seconds=value)
    return datetime.fromtimestamp(value / 1000 if value >= MILLISECONDS_FROM else value, UTC)


def _iso(text: str, now: datetime) -> datetime | None:
    if not re.match(r"\d{4}-\d{2}-\d{2}", text):
        return None
    text = re.sub(r" ?(?:UTC|GMT)$", "+00:00", text.replace(" at ", " "))
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def _http_date(text: str, _now: datetime) -> datetime | None:
    if not re.match(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} ", text):
        return None
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _span(text: str, now: datetime) -> datetime | None:
    parts = _SPAN.findall(text)
    rest = _SPAN.sub("", text)
    if not parts or not _SPAN_FILLER.fullmatch(rest):
        return None
    return now + timedelta(seconds=sum(float(number) * _unit(unit) for number, unit in parts))


def _unit(name: str) -> float:
    name = name.lower()
    return UNITS["ms" if name.startswith(("ms", "mil")) else name[0]]


def _calendar(text: str, now: datetime) -> datetime | None:
    clock, zone = _clock(text), _zone(text, now)
    if clock is None or zone is None:
        return None
    here = now.astimezone(zone)
    at = here.replace(hour=clock[0], minute=clock[1], second=0, microsecond=0, fold=0)
    if date := _DATE.search(text):
        return _on_date(at, date, here)
    if day := _WEEKDAY.search(text):
        at += timedelta(days=(DAYS.index(day[1][:3].lower()) - at.weekday()) % 7)
        return at if at >= here - JUST_PAST else at + timedelta(days=7)
    return at if at >= here - JUST_PAST else at + timedelta(days=1)


def _on_date(at: datetime, date: re.Match[str], here: datetime) -> datetime:
    month, day = MONTHS.index(date[1].lower()) + 1, int(date[2])
    moment = at.replace(year=int(date[3] or here.year), month=month, day=day)
    if date[3] is None and moment < here - timedelta(days=180):
        return moment.replace(year=here.year + 1)
    return moment


def _clock(text: str) -> tuple[int, int] | None:
    match = _CLOCK.search(text)
    if match is None:
        return None
    if match[4] is None:
        return int(match[5]), int(match[6])
    afternoon = match[4].lower() == "p"
    return int(match[1]) % 12 + (12 if afternoon else 0), int(match[2] or 0)


def _zone(text: str, now: datetime) -> tzinfo | None:
    match = _ZONE.search(text)
    if match is None:
        return now.tzinfo
    name = match[1] or "UTC"
    if name.upper() in {"UTC", "GMT"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
