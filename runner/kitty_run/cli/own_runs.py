"""Looking up a run for a command: which one is meant, and on standard error what is not believed of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from kitty_run.engine.state.events import Entry
from kitty_run.engine.state.own_runs import OwnRuns
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.errors import UsageError


class RunReader:
    """Reads the runs of `repo`, and says once of each journal, and each damaged line, what is wrong."""

    def __init__(self, repo: Path) -> None:
        self._repo = repo
        self._runs = OwnRuns(repo)
        self._printed: set[str] = set()
        self._print(self._runs.notices)

    def latest_first(self) -> Iterator[RunPlace]:
        """All runs, the one that began last first."""
        return reversed(self._runs.places)

    def find(self, run_id: str | None) -> RunPlace:
        """The run called `run_id`, or the one that was worked on last. Raises UsageError for none."""
        known = {place.id: place for place in self._runs.places}
        latest = self._runs.latest()
        if latest is None:
            raise UsageError(f"no runs in {self._repo} yet; start one with `kitty-run PROFILE`")
        if run_id is None:
            return latest
        if run_id not in known:
            raise UsageError(f"unknown run {run_id!r}; known: {', '.join(known)}")
        return known[run_id]

    def size(self, place: RunPlace) -> int:
        """How much kitty-run has written of `place`, in bytes: it grows with each event."""
        return self._runs.written(place).st_size

    def entries(self, place: RunPlace) -> tuple[Entry, ...]:
        """What kitty-run wrote into the journal of `place`, without damaged lines."""
        journal = self._runs.journal(place)
        if journal.notice and place.id not in self._printed:
            self._printed.add(place.id)
            self._print([journal.notice])
        self._print(map(str, journal.contents.damaged))
        return journal.contents.entries

    def _print(self, notices: Iterable[str]) -> None:
        new = [notice for notice in dict.fromkeys(notices) if notice not in self._printed]
        self._printed.update(new)
        sys.stderr.writelines(f"{notice}\n" for notice in new)
