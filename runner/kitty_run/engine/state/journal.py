"""The journal of a run: one JSON object per line, written before and after every step.

Each line fits `schemas/event.schema.json`. A line is on the disk before the step that it announces is
taken, so that `kill -9` at any instant leaves a journal from which the same command goes on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kitty_run.engine.state.private_files import open_file
from kitty_run.errors import JournalError, MachineFault, out_of_room

FORMAT = 1
"""Version of the journal's format, in every line as `v`."""


@dataclass(frozen=True, slots=True)
class Event:
    """One journal line: `type` is dotted (`attempt.started`), `wp` None where it concerns the whole run."""

    type: str
    at: datetime
    wp: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)

    def to_json(self, seq: int) -> dict[str, object]:
        """The line's object; `seq` counts the journal's lines from 1."""
        head: dict[str, object] = {"v": FORMAT, "seq": seq, "at": self.at.isoformat(), "type": self.type}
        if self.wp is not None:
            head["wp"] = self.wp
        return {**head, **self.data}

    @classmethod
    def from_json(cls, line: Mapping[str, object]) -> Event:
        """The event of a line's object; raises KeyError or ValueError for what is no event."""
        data = {key: value for key, value in line.items() if key not in {"v", "seq", "at", "type", "wp"}}
        wp = line.get("wp")
        at = datetime.fromisoformat(str(line["at"]))
        return cls(str(line["type"]), at, None if wp is None else str(wp), data)


Observer = Callable[[Event], None]


class Journal:
    """Appends events to `path`, tells observers of each, and counts lines on from what is there.

    Raises `JournalError` if a line can't be written: a run without its journal must not go on.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        keep: Callable[[bytes], None] | None = None,
    ) -> None:
        """`keep` gets each line before the file does, to know it again."""
        self.path = path
        self._keep = keep
        self._now = now
        self._observers: list[Observer] = []
        self._seq = 0
        self._file = -1

    def open(self) -> list[Event]:
        """Open for appending, mending a torn last line, and return the events that are there already."""
        past = list(read(self.path)) if self.path.exists() else []
        self._seq = len(past)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _cut_torn_line(self.path)
            self._file = open_file(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        except OSError as error:
            raise JournalError(f"the journal {self.path} can't be opened: {error}") from error
        return past

    def observe(self, observer: Observer) -> None:
        """Call `observer` with every event from now on, after it is on the disk."""
        self._observers.append(observer)

    def write(self, type_: str, wp: str | None = None, /, **data: object) -> Event:
        """Append an event and flush it to the disk, then tell the observers."""
        event = Event(type_, self._now(), wp, data)
        text = json.dumps(event.to_json(self._seq + 1), ensure_ascii=False, default=str) + "\n"
        line = text.encode("utf-8", errors="replace")
        try:
            if self._keep is not None:
                self._keep(line)
            _write_all(self._file, line)
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
        return event

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read(path: Path) -> Iterator[Event]:
    """The events of a journal in order; a torn last line (a killed run) is left out.

    Raises `JournalError` for a line in the middle that is no event: somebody changed the file.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise JournalError(f"the journal {path} can't be read: {error}") from error
    for number, line in enumerate(lines[:-1], 1):  # the last piece has no newline: empty, or torn
        try:
            yield Event.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(f"{path}:{number}: this is no journal line: {error}") from error


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _cut_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("r+b") as file:
        text = file.read()
        file.truncate(text.rfind(b"\n") + 1)
