"""When a limit ends, from what an agent's service says of it. Pure: the present is given."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from kitty_run.agents.results.time_zones import named_in

JUST_PAST = timedelta(minutes=10)
"""A clock time that is over by less than this has just passed; it does not mean tomorrow."""

FARTHEST = timedelta(days=400)
MILLISECONDS_FROM = 100_000_000_000
EPOCH_FROM = 1_000_000_000
"""Smaller bare numbers are seconds from now, as in Retry-After."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS = {"w": 604_800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SPAN = re.compile(
    r"(\d+(?:\.\d+)?|\ban?\b)\s*"
    r"(ms|milliseconds?|w|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)(?![A-Za-z])",
    re.I,
)
_STARTING_SPAN = re.compile(
    r"(?:about|around|approximately|less than|~|\s)*"
    rf"(?:{_SPAN.pattern}(?:[\s,]|\band\b)*)+",
    re.I,
)
_BEFORE = re.compile(r"(?:(?:at|on|in|by|after|until)\b|[:\s])*", re.I)
_ISO_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?"
)
_SENTENCE_END = re.compile(
    r"(?<![ap]\.m)(?<!\b[ap])[.!;](?=\s|$)(?!\s*(?:de\s+)?\d)|[\"\\\n{}\[\]<>]| - | or | to ", re.I
)
_LEAD = re.compile(r"^.*\b(?:in|after)\s+", re.I | re.S)
_FILLER = re.compile(r"(?:[\s,.~]|\b(?:and|about|around|less|than)\b)*", re.I)
_CLOCK = re.compile(
    r"(?<![\d:])(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::\d{2})?\s*(?P<half>[ap])\.?m\b\.?"
    r"|(?<![\d:])(?P<hour24>\d{1,2}):(?P<minute24>\d{2})(?::\d{2})?",
    re.I,
)
_MONTH = rf"(?:{'|'.join(MONTHS)})[a-z]*"
_DATE = re.compile(
    rf"\b(?:(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)"
    rf"|(?<![\d:])(?P<day_first>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?P<month_last>{_MONTH})\b)(?:\.?,?\s+(?P<year>\d{{4}})\b)?",
    re.I,
)
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})")
_WEEKDAY = re.compile(rf"\b({'|'.join(DAYS)})[a-z]*\b", re.I)
_WORDS = re.compile(
    r"\b(?:please|try|again|come|back|wait|until|resets?|renews?|available|access|at|on|by|from|after|in|is|the|of|and|"
    r"around|about|approximately|next|today|this|local|your|time|(?:your )?limit|quota|will|be|it)\b",
    re.I,
)
"""Words around a time that say nothing of it."""
_TOMORROW = re.compile(r"\btomorrow\b", re.I)
_UNCLEAR = re.compile(r"\d[/.]\d{1,2}[/.]\d|\bin\s+\d+:\d", re.I)
"""Dates whose day and month can't be distinguished, and spans that look like clock times."""


def parse(text: str, now: datetime) -> datetime | None:
    """The moment that `text` names, aware, or None where it names none.

    Understood: seconds or milliseconds since the epoch, seconds from now (below a billion), ISO 8601, an
    HTTP date, spans (`2h 5m`, `try again in 45 seconds`), and clock times with or without a date, a weekday
    and a zone (`3pm (Europe/Berlin)`, `Nov 25th, 2026 1:30 PM`). A time without a zone is in that of `now`,
    which must be aware; a clock time without a date is the next one. What is farther away than `FARTHEST`
    is no reset of a limit, nor is a time in a zone that nobody knows.
    """
    text = text.strip().strip("\"'").rstrip(".")
    present = now.astimezone(UTC)
    for reading in (_number, _iso, _http_date, _span, _day, _calendar):
        found = _careful(reading, text, now)
        if found is not None:
            return found if abs(found.astimezone(UTC) - present) <= FARTHEST else None
    return None


def parse_start(text: str, now: datetime) -> datetime | None:
    """The moment that `text`, a piece of prose, begins with, or None; what follows it is not looked at.

    A bare number is none: nobody says what it counts.
    """
    text = _BEFORE.sub("", text, count=1)
    if iso := _ISO_MOMENT.match(text):
        return parse(iso[0], now)
    span = _STARTING_SPAN.match(text)
    words = span[0].rstrip(" ,") if span else ""
    if words and not text[len(words) : len(words) + 1].isalnum():
        return parse(words, now)
    sentence = _SENTENCE_END.split(text, maxsplit=1)[0]
    return None if _NUMBER.match(sentence) and _NUMBER.fullmatch(sentence.strip()) else parse(sentence, now)


def parse_field(text: str, now: datetime) -> datetime | None:
    """The moment that the value of a field or header, at the beginning of `text`, names, or None."""
    number = _NUMBER.match(text)
    if number and not re.match(r"[\w:.-]|\s*[a-zA-Z]", text[number.end() :]):
        return parse(number[0], now)
    return parse_start(text, now)


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
        return _from(now, value)
    return datetime.fromtimestamp(value / 1000 if value >= MILLISECONDS_FROM else value, UTC)


def _iso(text: str, now: datetime) -> datetime | None:
    if not _ISO_DATE.match(text):
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
    text = _LEAD.sub("", text)
    parts = _SPAN.findall(text)
    if not parts or not _FILLER.fullmatch(_SPAN.sub("", text)):
        return None
    return _from(now, sum(_amount(number) * _unit(unit) for number, unit in parts))


def _from(now: datetime, seconds: float) -> datetime:
    """So many seconds after `now`, whatever is done with the clocks meanwhile."""
    return (now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(now.tzinfo)


def _amount(number: str) -> float:
    return 1.0 if number.lower().startswith("a") else float(number)


def _unit(name: str) -> float:
    name = name.lower()
    return UNITS["ms" if name.startswith(("ms", "mil")) else name[0]]


def _calendar(text: str, now: datetime) -> datetime | None:
    match = _CLOCK.search(text)
    if match is None or _UNCLEAR.search(text) or _has_more(text, match):
        return None
    here = now.astimezone(named_in(text[match.end() :]) or now.tzinfo)
    hour, minute = _clock(match)
    at = here.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
    if date := _ISO_DATE.search(text):
        return at.replace(year=int(date[1]), month=int(date[2]), day=int(date[3]))
    if date := _DATE.search(text):
        return _on_date(at, date, here)
    if _TOMORROW.search(text):
        return at + timedelta(days=1)
    if day := _WEEKDAY.search(text):
        at += timedelta(days=(DAYS.index(day[1][:3].lower()) - at.weekday()) % 7)
        return _next(at, here, timedelta(days=7))
    return _next(at, here, timedelta(days=1))


def _day(text: str, now: datetime) -> datetime | None:
    """The beginning of the day that `text` names, if that is all that it names."""
    date = _DATE.search(text)
    if date is None or _WORDS.sub("", _DATE.sub("", text)).strip(" .,"):
        return None
    return _on_date(now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0), date, now)


def _has_more(text: str, clock: re.Match[str]) -> bool:
    """Whether more of `text` than its clock time could be a date, but isn't one that can be read.

    Such as `10 de jul. de 2026, 11:52`: no time is better than a wrong one.
    """
    before, after = text[: clock.start()], text[clock.end() :]
    for known in (_ISO_DATE, _DATE, _WEEKDAY, _TOMORROW):
        before, after = known.sub(" ", before), known.sub(" ", after)
    unknown = re.search(r"\w", _WORDS.sub(" ", before).replace("T", " "))
    return unknown is not None or re.search(r"(?<![+-:\d])\d", after) is not None


def _next(at: datetime, here: datetime, period: timedelta) -> datetime:
    """`at`, or else `at` once more since the clocks were put back, or a period later: what is not over."""
    present = here.astimezone(UTC)
    for moment in (at, at.replace(fold=1)):
        if moment.astimezone(UTC) >= present - JUST_PAST:
            return moment
    return at + period


def _on_date(at: datetime, date: re.Match[str], here: datetime) -> datetime:
    month, day = (date["month"] or date["month_last"])[:3].lower(), date["day"] or date["day_first"]
    moment = at.replace(year=int(date["year"] or here.year), month=MONTHS.index(month) + 1, day=int(day))
    if date["year"] is None and moment < here - timedelta(days=180):
        return moment.replace(year=here.year + 1)
    return moment


def _clock(match: re.Match[str]) -> tuple[int, int]:
    """Hour and minute; ValueError for a 13pm."""
    if match["half"] is None:
        return int(match["hour24"]), int(match["minute24"])
    if not 1 <= int(match["hour"]) <= 12:
        raise ValueError(match[0])
    afternoon = match["half"].lower() == "p"
    return int(match["hour"]) % 12 + (12 if afternoon else 0), int(match["minute"] or 0)
