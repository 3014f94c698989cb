"""Before a run begins: each journal of the repository is what the runner wrote, or is put right, and said."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kitty_run.engine.state.digest_chain import (
    READY,
    Chain,
    chain_of,
    chains,
    make_store,
    remove_forgotten,
)
from kitty_run.engine.state.events import RunEnded
from kitty_run.engine.state.events.codec import from_line
from kitty_run.engine.state.private_files import (
    ForeignState,
    check,
    make_directories,
    read_bytes,
    write_whole,
)
from kitty_run.engine.state.run_directory import HOME, RunPlace, run_place, runs
from kitty_run.machine import OF_THE_MACHINE, MachineFault

SETTLED = "settled.json"
"""The file in the store that says how journals and chains of ended runs were found to agree (`_state_of`)."""
UNSURE = 2.0
"""Seconds after a change within which a further one may leave the same times on a file."""


@dataclass(slots=True)
class Witness:
    """What was found; `store` is None where nothing can be kept outside of the repository."""

    store: Path | None = None
    notices: list[str] = field(default_factory=list)

    def chain(self, place: RunPlace) -> Chain | None:
        """The opened chain of `place`, to which its journal's lines go first."""
        if self.store is None:
            return None
        chain = chain_of(self.store, place.id)
        chain.open()
        return chain


def outside_store(repo: Path) -> Path | None:
    """Where something of `repo` is kept outside of it; None where it can't be (`verify` says why)."""
    try:
        return make_store(repo)
    except (OSError, ForeignState):
        return None


def verify(repo: Path, now: Callable[[], float] = time.time) -> Witness:
    """Compare the journals of `repo` with what is kept outside, and put them right.

    Only for whoever holds the repository's lock: nobody else writes meanwhile. Of a run that came to its end
    and was compared before, file and chain are read again only where one of them was touched since. What
    is kept of repositories that are gone is removed. `now` is the time in seconds since the epoch.
    Raises `ForeignState` where something else is in the place of a journal, a pipe say.
    """
    for place in runs(repo):
        check(place.journal, directory=False)
    witness = Witness()
    try:
        witness.store = make_store(repo)
        _take_in(repo, witness.store, witness.notices)
        _name_lost(repo, witness.store, witness.notices)
        _compare(repo, witness.store, now(), witness.notices)
        with suppress(OSError):  # tidying up is no condition of a start
            remove_forgotten(witness.store.parent, now())
    except (OSError, ForeignState) as error:
        if isinstance(error, OSError) and _must_be_written(error, repo):
            raise MachineFault.of(witness.store or repo, error) from error
        witness.store = None
        witness.notices.append(
            f"the journal is not verified: nothing can be kept outside of the repository ({error}). "
            "Make that directory writable, or name another one in XDG_STATE_HOME"
        )
    return witness


def _must_be_written(error: OSError, repo: Path) -> bool:
    """Whether it is the machine's fault, or concerns the repository's side: only the other may be missing."""
    within = isinstance(error.filename, str) and Path(error.filename).is_relative_to(repo / HOME)
    return within or (error.errno in OF_THE_MACHINE and error.errno != errno.EROFS)


def _take_in(repo: Path, store: Path, notices: list[str]) -> None:
    """At first take in the runs that are there; later, what has no chain is not the runner's."""
    known = (store / READY).exists()
    for place in runs(repo):
        chain = chain_of(store, place.id)
        if chain.path.exists():
            continue
        if known:
            away = place.journal.with_name(f"events.jsonl.not-ours-{_stamp()}")
            place.journal.rename(away)
            notices.append(f"{place.journal} was not written by kitty-run: not believed, and kept as {away}")
            continue
        data = read_bytes(place.journal)
        chain.open()
        try:
            for line in data.split(b"\n")[:-1]:
                chain.append(line + b"\n")
        finally:
            chain.close()
        notices.append(
            f"{place.journal} is unverified: nothing is known outside of the repository of who wrote it"
        )
    if not known:
        write_whole(store / READY, str(repo).encode(errors="surrogateescape") + b"\n")


def _name_lost(repo: Path, store: Path, notices: list[str]) -> None:
    """Name the runs that nothing is known of but that they were: their journals are lost, with the copies."""
    for folder in sorted((repo / HOME / "runs").glob("*/")):
        place = RunPlace(folder)
        if not os.path.lexists(place.journal) and not chain_of(store, place.id).path.exists():
            notices.append(
                f"{folder} has no journal: what that run used is not known, and no limit counts it. Look at "
                "its logs for what it did; remove the directory, and it is not named any more"
            )


def _compare(repo: Path, store: Path, now: float, notices: list[str]) -> None:
    known = _settled(store)
    settled = {}
    for run, chain in chains(store):
        name, place = chain.path.name, run_place(repo, run)
        state = _state_of(chain, place)
        if state is None or known.get(name) != state:
            ended = _put_right(repo, chain, place, notices)
            state = _state_of(chain, place) if ended else None
        if state is not None and max(state[3], state[7]) < (now - UNSURE) * 1e9:
            settled[name] = state
    if settled != known:
        write_whole(store / SETTLED, json.dumps(settled).encode())


def _settled(store: Path) -> dict[str, list[int]]:
    try:
        found = json.loads(read_bytes(store / SETTLED))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _state_of(chain: Chain, place: RunPlace) -> list[int] | None:
    """What changes with any change of the chain or its journal: nobody but root sets a change time."""
    try:
        files = [one.lstat() for one in (chain.path, place.journal)]
    except OSError:
        return None
    return [
        number for file in files for number in (file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns)
    ]


def _put_right(repo: Path, chain: Chain, place: RunPlace, notices: list[str]) -> bool:
    """Make the journal of `place` what its chain says; whether that run came to its end."""
    lines = chain.lines()
    ended = bool(lines) and complete(lines[-1])
    try:
        found = read_bytes(place.journal)
    except FileNotFoundError:
        if ended and not place.directory.exists():
            chain.path.unlink()  # somebody tidied up after a run that had come to its end
            return ended
        found = b""
    right = b"".join(lines)
    if found == right:
        return ended
    make_directories(repo / HOME, "runs", place.id)
    torn = right.startswith(found) and len(right) - len(found) <= len(b"".join(lines[-1:]))
    kept = ""
    if found and not torn:
        away = place.journal.with_name(f"events.jsonl.found-{_stamp()}")
        write_whole(away, found)
        kept = f"; the file as found is kept as {away}"
    write_whole(place.journal, right)
    if not torn:  # what a kill leaves in the middle of the last line is nobody's doing
        notices.append(f"{place.journal} was changed: {difference(lines, found, ' and put back')}{kept}")
    return ended


def difference(lines: list[bytes], found: bytes, done: str = "") -> str:
    """What is wrong, by line numbers of the file as it was found; `done` says what missing lines became."""
    pieces = found.split(b"\n")
    there = [piece + b"\n" for piece in pieces[:-1]] + pieces[-1:] * bool(pieces[-1])
    ours, theirs = set(lines), set(there)
    foreign = [number for number, line in enumerate(there, 1) if line not in ours]
    missing = [number for number, line in enumerate(lines, 1) if line not in theirs]
    parts = []
    if foreign:
        parts.append(f"{_lines(foreign)} not written by kitty-run and not believed")
    if missing:
        parts.append(f"{_lines(missing)} of what kitty-run wrote missing{done}")
    return " and ".join(parts) or "lines were repeated or in another order"


def _lines(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"line {numbers[0]} was"
    shown = ", ".join(map(str, numbers[:5])) + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")
    return f"lines {shown} were"


def complete(line: bytes) -> bool:
    """Whether `line` is the successful end of a run."""
    try:
        last = from_line(json.loads(line)).event
    except (ValueError, RecursionError):
        return False
    return isinstance(last, RunEnded) and last.exit_status == 0


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
