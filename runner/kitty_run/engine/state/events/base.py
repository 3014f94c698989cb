"""What all events have: whom they are about, and when they were written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

LEFT_OUT = {"left_out": True}
"""Metadata of a field that is None where the line lacks it."""


class Event:
    """What a journal's line says, besides when it was written."""

    __slots__ = ()
    TYPE: ClassVar[str] = ""
    """The type's name in the journal."""
    wp: str | None
    """The work package that it is about; None for the whole run."""


@dataclass(frozen=True, slots=True)
class WorkPackageEvent(Event):
    """An event that is always about one work package."""

    wp: str


class RunEvent(Event):
    """An event that is always about the whole run."""

    __slots__ = ()
    wp = None


@dataclass(frozen=True, slots=True)
class EitherEvent(Event):
    """An event about one work package, or about the whole run."""

    wp: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Unknown(EitherEvent):
    """An event of a type that this version doesn't know, with the line's other keys; nobody reads it."""

    type: str
    keys: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal's line: an event, and when it was written (aware).

    `up` is how many seconds the session had been at work by then, by a clock that nobody sets and that stops
    while the machine sleeps; None in journals of earlier versions.
    """

    at: datetime
    event: Event
    up: float | None = None

    @property
    def wp(self) -> str | None:
        """The work package that the event is about; None for the whole run."""
        return self.event.wp
