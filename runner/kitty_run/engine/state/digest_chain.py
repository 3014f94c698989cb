"""What the runner wrote into its journals, kept outside of the repository as a chain of digests.

The repository's side can be changed by whatever runs in it. So each line is also kept in the user's state
directory, after a digest over the digest before it and the line: `DIGEST LINE`. This copy is the one that is
believed: a journal that differs is restored from it, with a notice.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from kitty_run.engine.state.private_files import (
    ForeignState,
    check,
    make_directories,
    open_file,
    read_bytes,
    write_all,
)

SUFFIX = ".chain"
READY = "known"
"""The file in a store that names the repository, there once the runs of before were taken in."""
FORGOTTEN = 180 * 86400.0
"""Seconds after which what is kept of a repository that is not there any more is removed."""
REMOVED = ".removed"
START = b"0" * 64
"""The digest before the first line."""


def state_home(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's directory for the state of programs; a relative one is passed over, as the standard asks."""
    named = Path(environ.get("XDG_STATE_HOME", ""))
    return named if named.is_absolute() else Path(environ.get("HOME") or Path.home()) / ".local" / "state"


def store_of(repo: Path, base: Path | None = None) -> Path:
    """Where the chains of the repository's runs are: another copy of the repository has another place."""
    path = repo.resolve()
    key = hashlib.sha256(f"{path}\0{path.stat().st_ino}".encode(errors="surrogateescape")).hexdigest()[:24]
    return (base or state_home()) / "kitty-run" / key


def make_store(repo: Path) -> Path:
    """The same, made where it is missing; raises OSError and `ForeignState`."""
    store = store_of(repo)
    outer = store.parent.parent
    outer.mkdir(parents=True, exist_ok=True)
    return make_directories(outer, store.parent.name, store.name)


def remove_forgotten(stores: Path, now: float) -> None:
    """Remove of the directory `stores` what was kept of repositories that are gone, and nothing else.

    A repository is gone where its path leads to none, or to another one, and nothing was written for it in
    `FORGOTTEN` seconds before `now`. What can't be looked at or removed stays. A store is first renamed at
    once: one that is half removed would make all journals of its repository foreign ones.
    """
    for folder in sorted(stores.iterdir()):
        with suppress(OSError, ForeignState):
            check(folder, directory=True)
            if not re.fullmatch(rf"[0-9a-f]{{24}}({re.escape(REMOVED)})?", folder.name):
                continue
            if folder.suffix != REMOVED:
                if not _is_forgotten(folder, now):
                    continue
                folder = folder.rename(folder.with_suffix(REMOVED))  # noqa: PLW2901
            shutil.rmtree(folder)


def _is_forgotten(store: Path, now: float) -> bool:
    """Raises OSError where that can't be found out."""
    repo = Path(os.fsdecode(read_bytes(store / READY).removesuffix(b"\n")))
    try:
        gone = repo.is_absolute() and store_of(repo, store.parent.parent).name != store.name
    except (FileNotFoundError, NotADirectoryError):
        gone = True
    return gone and now - max(path.lstat().st_mtime for path in (store, *store.rglob("*"))) > FORGOTTEN


def chain_of(store: Path, run: str) -> Chain:
    """The chain of the run `run` in `store`; its file need not be there."""
    return Chain(store / f"{run}{SUFFIX}")


def chains(store: Path) -> Iterator[tuple[str, Chain]]:
    """Every chain in `store`, by the id of its run, the oldest run first."""
    for path in sorted(store.glob(f"*{SUFFIX}")):
        yield path.name.removesuffix(SUFFIX), Chain(path)


class Chain:
    """The chain of one run, in the file `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1
        self._last = START

    def lines(self) -> list[bytes]:
        """The lines as far as the digests fit: each with its newline."""
        return [line for _, line in self._records()]

    def open(self) -> None:
        """Open to append after the last line that fits."""
        kept = self._records()
        self._last = kept[-1][0] if kept else START
        size = sum(len(digest) + 1 + len(line) for digest, line in kept)
        self._file = open_file(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.ftruncate(self._file, size)

    def _records(self) -> list[tuple[bytes, bytes]]:
        try:
            return list(_fitting(read_bytes(self.path).split(b"\n")[:-1]))
        except FileNotFoundError:
            return []

    def append(self, line: bytes) -> None:
        """Keep `line` (with its newline), on the disk when this returns; raises OSError."""
        digest = _digest(self._last, line)
        record = digest + b" " + line
        start = os.fstat(self._file).st_size
        try:
            write_all(self._file, record)
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, start)
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self._last = digest

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _fitting(records: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Digest and line of each record, up to the first that does not fit."""
    last = START
    for record in records:
        digest, _, text = record.partition(b" ")
        line = text + b"\n"
        if digest != _digest(last, line):
            return
        last = digest
        yield digest, line


def _digest(last: bytes, line: bytes) -> bytes:
    return hashlib.sha256(last + line).hexdigest().encode()
