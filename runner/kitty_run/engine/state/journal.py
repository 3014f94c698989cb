"""The journal of a run: one JSON object per line, written before and after every step.

Each line fits `schemas/event.schema.json`. A line is on the disk before the step that it announces is
taken, so that `kill -9` at any instant leaves a journal from which the same command continues.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kitty_run.engine.state.events import Entry, Event, Notice
from kitty_run.engine.state.events.cleaned import cleaned
from kitty_run.engine.state.events.codec import from_line, to_line
from kitty_run.engine.state.private_files import open_file, write_all
from kitty_run.errors import JournalError
from kitty_run.machine import OF_THE_MACHINE, JournalFault
from kitty_run.text.clean import clean

Observer = Callable[[Entry], None]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A line of the journal at `path` that is no event: its number from 1, and why."""

    path: Path
    number: int
    cause: str

    def __str__(self) -> str:
        """`events.jsonl:12: this line is no event and was left out: …`."""
        return f"{self.path}:{self.number}: this line is no event and was left out: {clean(self.cause)}"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a journal's file holds: its entries in order, and the lines that are none.

    `whole` counts the bytes of its whole lines; a torn last one is behind them.
    """

    entries: tuple[Entry, ...]
    damaged: tuple[Damaged, ...]
    whole: int


class Journal:
    """Appends events to `path`, calls observers for each, and numbers lines after those that are there.

    Raises `JournalFault` if a line can't be written: a run without its journal must not continue.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        keep: Callable[[bytes], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keep` gets each line before the file does, to know it again. `clock` counts seconds that nobody
        sets; those since the journal was opened are in each line."""
        self.path = path
        self.damaged: tuple[Damaged, ...] = ()
        """Lines that were no events when the journal was opened; they were left out."""
        self._keep = keep
        self._now = now
        self._clock, self._opened = clock, 0.0
        self._observers: list[Observer] = []
        self._views: list[Observer] = []
        self._seq = 0
        self._file = -1

    def open(self) -> list[Entry]:
        """Open for appending, cut a torn last line, and return the entries that are there already."""
        try:
            past = parse(self.path, self.path.read_bytes() if self.path.is_file() else b"")
            self._seq, self.damaged = len(past.entries) + len(past.damaged), past.damaged
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open_file(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.ftruncate(self._file, past.whole)
            self._opened = self._clock()
        except OSError as error:
            raise JournalFault.of(self.path, error) from error
        return list(past.entries)

    def observe(self, observer: Observer) -> None:
        """Call `observer` with every event from now on, after it is on the disk; its errors end the run."""
        self._observers.append(observer)

    def show(self, view: Observer) -> None:
        """Like `observe`, for a view that the run doesn't need: one that fails is dropped, with a notice."""
        self._views.append(view)

    def write(self, event: Event) -> Entry:
        """Append an event and flush it to the disk, then call the observers."""
        entry = Entry(self._now(), cleaned(event), round(max(self._clock() - self._opened, 0.0), 3))
        text = json.dumps(to_line(entry, self._seq + 1), ensure_ascii=False, allow_nan=False) + "\n"
        line = text.encode("utf-8", errors="replace")
        try:
            if self._keep is not None:
                self._keep(line)
            write_all(self._file, line)
            os.fsync(self._file)
        except OSError as error:
            raise JournalFault.of(self.path, error) from error
        self._seq += 1
        for observer in self._observers:
            observer(entry)
        for view in tuple(self._views):
            self._call(view, entry)
        return entry

    def _call(self, view: Observer, entry: Entry) -> None:
        try:
            view(entry)
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


def scan(path: Path) -> Contents:
    """The entries of a journal and its damaged lines; a torn last line (a killed run) is neither.

    Raises `JournalError` where it can't be read, `JournalFault` where that is the machine's fault.
    """
    if path.exists() and not path.is_file():  # reading a pipe never ends
        raise JournalError(f"the journal {path} can't be read: it is no file")
    try:
        data = path.read_bytes()
    except OSError as error:
        if error.errno in OF_THE_MACHINE:
            raise JournalFault.of(path, error, "read") from error
        raise JournalError(f"the journal {path} can't be read: {error}") from error
    return parse(path, data)


def parse(path: Path, data: bytes) -> Contents:
    """The same of `data`, as what the journal at `path` holds."""
    lines = data.split(b"\n")
    entries: list[Entry] = []
    damaged: list[Damaged] = []
    for number, line in enumerate(lines[:-1], 1):  # the last piece has no newline: empty, or torn
        try:
            entries.append(from_line(json.loads(line)))
        except (ValueError, RecursionError) as error:
            damaged.append(Damaged(path, number, str(error)[:200]))
    return Contents(tuple(entries), tuple(damaged), len(data) - len(lines[-1]))


def read(path: Path) -> Iterator[Entry]:
    """The entries of a journal in order, without damaged lines."""
    yield from scan(path).entries
