"""The runner's own files below `.kitty-run/` at the repository's root, and which run to continue."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from kitty_run.engine.state.events import Entry, Event, RunEnded, RunStarted
from kitty_run.engine.state.journal import read
from kitty_run.engine.state.private_files import make_directories, make_directory, write_whole
from kitty_run.errors import ExitStatus, JournalError
from kitty_run.machine import JournalFault, own_file

HOME = ".kitty-run"


@dataclass(frozen=True, slots=True)
class RunPlace:
    """The directory of one run and the names of the files in it."""

    directory: Path

    @property
    def id(self) -> str:
        return self.directory.name

    @property
    def journal(self) -> Path:
        return self.directory / "events.jsonl"

    @property
    def profile(self) -> Path:
        return self.directory / "profile.yaml"

    @property
    def gates(self) -> Path:
        return self.directory / "gates"

    def write_profile(self, text: str) -> None:
        """Keep the resolved profile beside the journal; raises `MachineFault`."""
        with own_file(self.profile):
            write_whole(self.profile, text.encode(errors="replace"))

    def log(self, wp: str, name: str) -> Path:
        """The log `logs/WP01/NAME.log`; the directory is made."""
        return self._file("logs", wp, f"{name}.log")

    def prompt(self, wp: str, name: str) -> Path:
        """The prompt as sent, `prompts/WP01/NAME.md`."""
        return self._file("prompts", wp, f"{name}.md")

    def verdict(self, wp: str, name: str) -> Path:
        """Where a reviewer writes: a file in a directory made now, under a name nobody can know before."""
        folder = self._file("verdicts", wp, f"{name}-{secrets.token_hex(16)}")
        with own_file(folder):
            folder.mkdir(mode=0o700)
            folder.chmod(0o700)
        return folder / "verdict.json"

    def files(self, wp: str, name: str) -> Path:
        """The directory of the files that an agent's `files` ask for."""
        return self._file("files", wp, name)

    def setup(self, workspace: str) -> Path:
        """What is remembered of the preparation of a workspace, `setup/workspaces/NAME.json`."""
        return self._file("setup", "workspaces", f"{quote(workspace, safe='')}.json")

    def _file(self, kind: str, wp: str, name: str) -> Path:
        folder = self.directory / kind / wp
        with own_file(folder):
            return make_directories(self.directory, kind, wp) / name


def home(repo: Path) -> Path:
    """`.kitty-run/` of the repository, made where missing, ignoring itself in git; raises `MachineFault`."""
    folder = repo / HOME
    with own_file(folder):
        make_directory(folder)
        ignore = folder / ".gitignore"
        if not os.path.lexists(ignore):
            write_whole(ignore, b"*\n")
    return folder


def new_run(repo: Path) -> RunPlace:
    """A fresh run directory; its id sorts by time."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return make_run(repo, f"{stamp}-{secrets.token_hex(4)}")


def make_run(repo: Path, run: str) -> RunPlace:
    """The directory of the run with the id `run`, made where it is missing; raises `MachineFault`."""
    with own_file(repo / HOME / "runs" / run):
        return RunPlace(make_directories(home(repo), "runs", run))


def run_place(repo: Path, run: str) -> RunPlace:
    """The directory of the run with the id `run`; nothing is made."""
    return RunPlace(repo / HOME / "runs" / run)


def runs(repo: Path) -> list[RunPlace]:
    """All runs of the repository that have a journal, oldest first."""
    folder = repo / HOME / "runs"
    return [RunPlace(path.parent) for path in sorted(folder.glob("*/events.jsonl"))]


def unfinished_run(
    places: Sequence[RunPlace], mission: str, journal_of: Callable[[RunPlace], Iterable[Entry]] | None = None
) -> RunPlace | None:
    """The latest run of `mission` if it has not ended with success; the same command continues with it.

    `places` are the oldest first; `journal_of` reads a journal (default: the file, as it is).
    """
    for place in reversed(places):
        found = _events(place) if journal_of is None else [entry.event for entry in journal_of(place)]
        sessions = [event for event in found if isinstance(event, RunStarted | RunEnded)]
        if not sessions or not isinstance(sessions[0], RunStarted) or sessions[0].mission != mission:
            continue
        last = sessions[-1]
        complete = isinstance(last, RunEnded) and last.exit_status == ExitStatus.OK
        return None if complete else place
    return None


def _events(place: RunPlace) -> list[Event]:
    try:
        return [entry.event for entry in read(place.journal)]
    except JournalFault:
        raise  # it may well be whole
    except JournalError:
        return []  # a damaged journal is never continued; the next run starts from the host's state
