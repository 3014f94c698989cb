"""What others wrote is cleaned before an event is written, folded or shown."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from kitty_run.engine.state.events.base import Event
from kitty_run.text.clean import clean, shortened

_WRITTEN = frozenset(
    {"summary", "findings", "feedback", "note", "foreign", "traceback", "changed", "verdict"}
)
"""Fields whose texts an agent, a host or a person wrote: cleaned, and kept whole."""
_CAUSES = frozenset({"reason", "rule", "text", "why", "error", "no_verdict"})
"""Fields of what an event says in words: cleaned and cut, however much a host or an agent had to say."""

E = TypeVar("E", bound=Event)


def cleaned(event: E) -> E:
    """`event` with all in it cleaned that may come from an agent, a host or a person."""
    record: Any = event
    texts = {one.name: getattr(event, one.name) for one in fields(record) if one.name in _WRITTEN | _CAUSES}
    return replace(record, **{name: _text(name, value) for name, value in texts.items()}) if texts else event


def _text(name: str, value: object) -> object:
    return shortened(value) if name in _CAUSES and isinstance(value, str) else _all(value)


def _all(value: Any) -> object:
    """`value` with all texts in it cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(map(_all, value))
    if is_dataclass(value):
        return replace(value, **{one.name: _all(getattr(value, one.name)) for one in fields(value)})  # type: ignore[type-var]
    return value
