"""The journal of a run: one JSON object per line, written before and after every step.

Each line fits `schemas/event.schema.json`. A line is on the disk before the step that it announces is
taken, so that `kill -9` at any instant leaves a journal from which the same command continues.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kitty_run.engine.state.event_codec import InvalidEvent, decode, encode, is_time
from kitty_run.engine.state.events import Notice, Payload
from kitty_run.engine.state.private_files import open_file, write_all
from kitty_run.errors import JournalError, MachineFault, out_of_room
from kitty_run.text.clean import clean_all, shortened

FORMAT = 1
"""Version of the journal's format, in every line as `v`."""

_HEAD = frozenset({"v", "seq", "at", "type", "wp"})

_TOLD = frozenset({"summary", "findings", "feedback", "note", "foreign", "traceback", "changed"})
"""Keys whose texts an agent, a host or a person wrote: cleaned, and kept whole."""
_CAUSES = frozenset({"reason", "rule", "text", "why", "error"})
"""Keys of what a line says in words: cleaned and cut, however much a host or an agent had to say."""


@dataclass(frozen=True, slots=True)
class Event:
    """One journal line: `type` is dotted (`attempt.started`), `wp` None where it concerns the whole run.

    `data` has the line's other keys as JSON; whoever reads an event reads `payload`, its typed form.
    """

    type: str
    at: datetime
    wp: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    _payload: Payload | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def payload(self) -> Payload:
        """What the line says, as one of the types in `events`; raises `InvalidEvent`."""
        payload = self._payload or decode(self.type, self.wp, self.data)
        object.__setattr__(self, "_payload", payload)
        return payload

    @property
    def subject(self) -> str:
        """The work package of an event that always has one; empty for the whole run."""
        return self.wp or ""

    @classmethod
    def of(cls, payload: Payload, at: datetime) -> Event:
        """The line that says `payload`."""
        return cls(payload.TYPE, at, payload.wp, _cleaned(encode(payload)))

    def to_json(self, seq: int) -> dict[str, object]:
        """The line's object; `seq` counts the journal's lines from 1."""
        head: dict[str, object] = {"v": FORMAT, "seq": seq, "at": self.at.isoformat(), "type": self.type}
        if self.wp is not None:
            head["wp"] = self.wp
        return {**head, **self.data}

    @classmethod
    def from_json(cls, line: object) -> Event:
        """The event of a line's object; raises `InvalidEvent` for what is no event."""
        if not isinstance(line, Mapping):
            raise InvalidEvent("it is no object")
        type_, wp = line.get("type"), line.get("wp")
        if line.get("v") != FORMAT:
            raise InvalidEvent(f"`v` is not {FORMAT}")
        if not isinstance(type_, str) or not (wp is None or (isinstance(wp, str) and wp)):
            raise InvalidEvent("`type` or `wp` is no text")
        data = {key: value for key, value in line.items() if key not in _HEAD}
        event = cls(type_, is_time(line.get("at")), wp, data)
        event.payload  # noqa: B018 - decoded now, so that nobody meets an invalid one later
        return event


Observer = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A line that is no event: its number from 1, and why."""

    number: int
    cause: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a journal's file holds: its events in order, and the lines that are none.

    `whole` counts the bytes of its whole lines; a torn last one is behind them.
    """

    events: tuple[Event, ...]
    damaged: tuple[Damaged, ...]
    whole: int


class Journal:
    """Appends events to `path`, calls observers for each, and numbers lines after those that are there.

    Raises `JournalError` if a line can't be written: a run without its journal must not continue.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        keep: Callable[[bytes], None] | None = None,
    ) -> None:
        """`keep` gets each line before the file does, to know it again."""
        self.path = path
        self.damaged: tuple[Damaged, ...] = ()
        """Lines that were no events when the journal was opened; they were left out."""
        self._keep = keep
        self._now = now
        self._observers: list[Observer] = []
        self._views: list[Observer] = []
        self._seq = 0
        self._file = -1

    def open(self) -> list[Event]:
        """Open for appending, cut a torn last line, and return the events that are there already."""
        past = scan(self.path) if self.path.exists() else Contents((), (), 0)
        self._seq, self.damaged = len(past.events) + len(past.damaged), past.damaged
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open_file(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.ftruncate(self._file, past.whole)
        except OSError as error:
            raise JournalError(f"the journal {self.path} can't be opened: {error}") from error
        return list(past.events)

    def observe(self, observer: Observer) -> None:
        """Call `observer` with every event from now on, after it is on the disk; its errors end the run."""
        self._observers.append(observer)

    def show(self, view: Observer) -> None:
        """Like `observe`, for a view that the run doesn't need: one that fails is dropped, with a notice."""
        self._views.append(view)

    def write(self, payload: Payload) -> Event:
        """Append an event and flush it to the disk, then call the observers."""
        event = Event.of(payload, self._now())
        text = json.dumps(event.to_json(self._seq + 1), ensure_ascii=False) + "\n"
        line = text.encode("utf-8", errors="replace")
        try:
            if self._keep is not None:
                self._keep(line)
            write_all(self._file, line)
            os.fsync(self._file)
        except OSError as error:
            if out_of_room(error):
                raise MachineFault.of(self.path, error) from error
            raise JournalError(
                f"the journal {self.path} can't be written: {error}. The run stops here, since nobody "
                "could tell what it did. Make room and start the same command again: it goes on."
            ) from error
        self._seq += 1
        for observer in self._observers:
            observer(event)
        for view in tuple(self._views):
            self._call(view, event)
        return event

    def _call(self, view: Observer, event: Event) -> None:
        try:
            view(event)
        except Exception as error:  # noqa: BLE001 - whatever a view fails of, the run doesn't need it
            if view in self._views:
                self._views.remove(view)
                self.write(
                    Notice(f"the live view failed and is off: {error!r}. `kitty-run status` shows the run")
                )

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _cleaned(data: Mapping[str, object]) -> dict[str, object]:
    """A line's own keys, with what others wrote cleaned before it is written, folded or shown."""
    return {key: _text(key, value) for key, value in data.items()}


def _text(key: str, value: object) -> object:
    if key in _CAUSES and isinstance(value, str):
        return shortened(value)
    return clean_all(value) if key in _TOLD else value


def scan(path: Path) -> Contents:
    """The events of a journal and its damaged lines; a torn last line (a killed run) is neither."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise JournalError(f"the journal {path} can't be read: {error}") from error
    lines = data.split(b"\n")
    events: list[Event] = []
    damaged: list[Damaged] = []
    for number, line in enumerate(lines[:-1], 1):  # the last piece has no newline: empty, or torn
        try:
            events.append(Event.from_json(json.loads(line)))
        except (ValueError, RecursionError) as error:
            damaged.append(Damaged(number, str(error)[:200]))
    return Contents(tuple(events), tuple(damaged), len(data) - len(lines[-1]))


def read(path: Path) -> Iterator[Event]:
    """The events of a journal in order, without damaged lines."""
    yield from scan(path).events
