"""The time zone that a text names beside a clock time, and the zone of this machine."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HOURS = dict(
    zip(
        [
            "PST",
            "PDT",
            "MST",
            "MDT",
            "CST",
            "CDT",
            "EST",
            "EDT",
            "WET",
            "WEST",
            "BST",
            "CET",
            "CEST",
            "EET",
            "EEST",
            "JST",
            "AEST",
        ],
        (-8, -7, -7, -6, -6, -5, -5, -4, 0, 1, 1, 1, 2, 2, 3, 9, 10),
        strict=True,
    )
)
"""Hours from UTC of abbreviations, as services write them."""

NAMES = {"PT": "America/Los_Angeles", "ET": "America/New_York", "UTC": "UTC", "GMT": "UTC", "Z": "UTC"}

_OFFSET = re.compile(r"\b(?:UTC|GMT)\s*([+-])(\d{1,2})(?::?(\d{2}))?\b|^\s*([+-])(\d{2}):?(\d{2})\b")
_IN_BRACKETS = re.compile(r"\(([A-Za-z][\w+/-]*)\)")
_REGION = re.compile(r"\b([A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_]+)+)\b")
_LETTERS = re.compile(r"^\s*(Z|[A-Z]{2,5})\b")


class Local(tzinfo):
    """The zone of this machine with its changes of clocks, which a fixed offset of now would not know."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """The offset at this local time."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, _moment: datetime | None) -> timedelta | None:
        """Unknown: `utcoffset` includes it."""
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        """The name at this local time."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, moment: datetime) -> datetime:
        """The local time of a moment given in UTC."""
        return moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)


LOCAL = Local()


class UnknownZone(ValueError):
    """A text names a zone that nobody knows: its clock time could mean anything."""


def named_in(text: str) -> tzinfo | None:
    """The zone that `text`, what follows a clock time, names; None where it names none.

    Raises `UnknownZone`.
    """
    if found := _OFFSET.search(text):
        sign, hours, minutes = found.groups()[:3] if found[1] else found.groups()[3:]
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(offset if sign == "+" else -offset)
    for pattern in (_IN_BRACKETS, _REGION, _LETTERS):
        if found := pattern.search(text):
            return _zone(found[1])
    return None


def _zone(name: str) -> tzinfo:
    if name.upper() in HOURS:
        return timezone(timedelta(hours=HOURS[name.upper()]))
    try:
        return ZoneInfo(NAMES.get(name.upper(), name))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UnknownZone(name) from error
