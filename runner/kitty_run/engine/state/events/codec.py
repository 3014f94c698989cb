"""Journal lines to events and back, driven by the fields of the events' dataclasses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from kitty_run.engine.state.events import EVENTS, Entry, Event, Unknown

FORMAT = 1
"""Version of the journal's format, in every line as `v`."""

_Reader = Callable[[object, str], object]
"""From a value and where it is to what the event has of it; raises `InvalidEvent`."""

_HEAD = frozenset({"v", "seq", "at", "up", "type", "wp"})


class InvalidEvent(ValueError):
    """A journal line is no event; the message says why."""


def to_line(entry: Entry, seq: int) -> dict[str, object]:
    """The line's object; `seq` counts the journal's lines from 1."""
    event = entry.event
    type_ = event.type if isinstance(event, Unknown) else event.TYPE
    when = {"at": entry.at.isoformat()} | ({} if entry.up is None else {"up": entry.up})
    head: dict[str, object] = {"v": FORMAT, "seq": seq, **when, "type": type_}
    own = dict(event.keys) if isinstance(event, Unknown) else _record(event)
    own.pop("wp", None)  # every line that has it has it in its head
    return {**head, **({} if event.wp is None else {"wp": event.wp}), **own}


def from_line(line: object) -> Entry:
    """What a line's object says; raises `InvalidEvent`.

    Types and keys that this version doesn't know are no fault: a later one added them.
    """
    if not isinstance(line, Mapping):
        raise InvalidEvent("it is no object")
    type_, wp = line.get("type"), line.get("wp")
    if line.get("v") != FORMAT:
        raise InvalidEvent(f"`v` is not {FORMAT}")
    if not isinstance(type_, str) or not (wp is None or (isinstance(wp, str) and wp)):
        raise InvalidEvent("`type` or `wp` is no text")
    at, up = _time(line.get("at"), "at"), _seconds(line.get("up"))
    about = {} if wp is None else {"wp": wp}
    own = {key: value for key, value in line.items() if key not in _HEAD}
    kind = EVENTS.get(type_)
    if kind is None:
        return Entry(at, Unknown(type_, own, wp=wp), up)
    return Entry(at, cast("Event", _object(kind, {**own, **about}, type_)), up)


def _seconds(value: object) -> float | None:
    """A line's `up`; what is none is passed over, for times of day say nearly the same."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        return None
    return float(value)


def _record(value: Any) -> dict[str, object]:
    return {
        one.name: _plain(found)
        for one in fields(value)
        if not ((found := getattr(value, one.name)) is None and one.metadata.get("left_out"))
    }


def _plain(value: object) -> object:  # noqa: PLR0911 - a table of kinds
    """As JSON has it."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case Path():
            return str(value)
        case tuple() | list():
            return [_plain(one) for one in value]
        case Mapping():
            return {str(key): _plain(one) for key, one in value.items()}
        case _ if is_dataclass(value):
            return _record(value)
    return value


@cache
def _fields(kind: type) -> tuple[tuple[Field[Any], _Reader], ...]:
    hints = get_type_hints(kind)
    return tuple((one, _reader(hints[one.name])) for one in fields(kind))


def _object(kind: type, value: object, where: str) -> object:
    if not isinstance(value, Mapping):
        raise InvalidEvent(f"{where}: {_shown(value)} is no object")
    found = {}
    for one, read in _fields(kind):
        if one.name in value:
            found[one.name] = read(value[one.name], f"{where}: `{one.name}`")
        elif one.default is MISSING and one.default_factory is MISSING:
            raise InvalidEvent(f"{where}: `{one.name}` is missing")
    return kind(**found)


@cache
def _reader(hint: Any) -> _Reader:  # noqa: PLR0911 - a table of kinds
    """What reads a value of the type `hint`, looked up once: journals are read as a whole at every start."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        of_it = _reader(next(one for one in inner if one is not NoneType))
        return lambda value, where: None if value is None else of_it(value, where)
    if origin is Literal:
        return lambda value, where: _one_of(inner, value, where)
    if origin is tuple:
        each = _reader(inner[0])
        return lambda value, where: tuple(each(one, where) for one in _checked(value, list, where))
    if origin is not None:
        own = _reader(inner[1])
        return lambda value, where: {
            key: own(one, where) for key, one in _checked(value, dict, where).items()
        }
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value, where: _object(hint, value, where)
    if issubclass(hint, Enum):
        allowed = [one.value for one in hint]
        return lambda value, where: hint(_one_of(allowed, value, where))
    return _SCALARS[hint]


def _one_of(allowed: Any, value: object, where: str) -> object:
    if not isinstance(value, str) or value not in allowed:
        raise InvalidEvent(f"{where}: {_shown(value)} is none of {', '.join(allowed)}")
    return value


def _checked(value: object, kind: type, where: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InvalidEvent(f"{where}: {_shown(value)} is no {kind.__name__}")
    return value


def _number(value: object, where: str) -> float:
    """Integers stay what they are, so that a line is written as it was read."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise InvalidEvent(f"{where}: {_shown(value)} is no number")


def _time(value: object, where: str) -> datetime:
    try:
        found = datetime.fromisoformat(_checked(value, str, where))
    except ValueError as error:
        raise InvalidEvent(f"{where}: {_shown(value)} is no time") from error
    if found.tzinfo is None:
        raise InvalidEvent(f"{where}: {_shown(value)} has no offset from UTC")
    return found


def _shown(value: object) -> str:
    return repr(value)[:60]


_SCALARS: Mapping[type, _Reader] = {
    str: lambda value, where: _checked(value, str, where),
    int: lambda value, where: _checked(value, int, where),
    bool: lambda value, where: _checked(value, bool, where),
    float: _number,
    datetime: _time,
    Path: lambda value, where: Path(_checked(value, str, where)),
}
