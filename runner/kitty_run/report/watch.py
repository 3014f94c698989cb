"""Watching a run from another process: its journal is read again whenever it has grown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol, TextIO

from kitty_run.engine.state.events import Entry
from kitty_run.engine.state.journal import scan
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.report.live import Live
from kitty_run.report.liveness import Life, life
from kitty_run.report.status import Follower
from kitty_run.report.status_text import as_text

INTERVAL = 1.0
"""Seconds between two looks at the journal."""

Pause = Callable[[float], None]


class Source(Protocol):
    """Where the events of a run are read."""

    def size(self, place: RunPlace) -> int:
        """How much has been written, in bytes."""
        ...

    def entries(self, place: RunPlace) -> Sequence[Entry]:
        """All of it."""
        ...


class JournalFile:
    """The journal in the run's directory, as it is."""

    def size(self, place: RunPlace) -> int:
        """See `Source`."""
        return place.journal.stat().st_size

    def entries(self, place: RunPlace) -> Sequence[Entry]:
        """See `Source`."""
        return scan(place.journal).entries


class Watcher:
    """Follows the run at `place`, event by event."""

    def __init__(self, place: RunPlace, source: Source) -> None:
        self._source = source
        self._place = place
        self._follower = Follower(place.id)
        self._read = 0
        self._size = -1

    def news(self) -> Sequence[Entry]:
        """The events that were not seen before."""
        size = self._source.size(self._place)
        if size == self._size:
            return []
        self._size = size
        found = self._source.entries(self._place)[self._read :]
        self._read += len(found)
        for entry in found:
            self._follower.take(entry)
        return found

    def life(self) -> Life:
        """Whether the run's process is alive, as of the events seen."""
        return life(self._follower.status)

    def text(self) -> str:
        """The status, as of the events seen."""
        return as_text(self._follower.status, self.life(), self._place.directory, datetime.now(UTC))


def watch(place: RunPlace, stream: TextIO, pause: Pause = time.sleep, source: Source | None = None) -> None:
    """Show the run until it has ended or its process is gone: a screen on a terminal, else lines."""
    watcher = Watcher(place, source or JournalFile())
    if stream.isatty():
        _screen(watcher, stream, pause)
    else:
        _lines(watcher, stream, pause)


def _lines(watcher: Watcher, stream: TextIO, pause: Pause) -> None:
    live = Live(stream)
    while True:
        for entry in watcher.news():
            live.show(entry)
        if watcher.life() in {Life.ENDED, Life.DIED}:
            break
        pause(INTERVAL)
    stream.write(watcher.text())


def _screen(watcher: Watcher, stream: TextIO, pause: Pause) -> None:
    from rich.console import Console
    from rich.live import Live as Screen
    from rich.text import Text

    watcher.news()
    with Screen(Text(watcher.text()), console=Console(file=stream), auto_refresh=False) as screen:
        while watcher.life() not in {Life.ENDED, Life.DIED}:
            pause(INTERVAL)
            watcher.news()
            screen.update(Text(watcher.text()), refresh=True)
        screen.update(Text(watcher.text()), refresh=True)
