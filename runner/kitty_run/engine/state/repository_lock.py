"""One runner per repository: an advisory file lock that says who holds it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname

from kitty_run.engine.state.private_files import make_directory, open_file, read_bytes
from kitty_run.errors import ExitStatus, UsageError
from kitty_run.machine import MachineFault, own_file
from kitty_run.process_identity import identity


class RepositoryBusy(UsageError):
    """Another runner works on this repository."""

    exit_status = ExitStatus.INCOMPLETE


@contextmanager
def repository_lock(path: Path, mission: str) -> Iterator[None]:
    """Hold the lock file `path` while the body runs; the operating system frees it if the runner dies.

    Raises `RepositoryBusy` at once, naming the holder, if another process has it, and `MachineFault`.
    """
    with own_file(path):
        make_directory(path.parent)
    with _root_locked(path, path.parent.parent):
        with own_file(path):
            file = open_file(path, os.O_RDWR | os.O_CREAT)
        try:
            _lock_file(file, path)
            with own_file(path):
                _describe(file, mission)
            try:
                yield
            finally:
                with suppress(OSError):  # the lock itself ends with the descriptor
                    os.ftruncate(file, 0)
        finally:
            os.close(file)


@contextmanager
def _root_locked(path: Path, root: Path) -> Iterator[None]:
    """Hold the repository's directory itself too: the lock file can be removed or replaced, that can't."""
    with own_file(root):
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(_NotLockable):  # some network file systems lock no directories
            _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


class _NotLockable(Exception):
    """The file system can't lock this."""


def _lock_file(descriptor: int, path: Path) -> None:
    try:
        _lock(descriptor, path)
    except _NotLockable as error:
        raise MachineFault(
            f"{path} can't be locked: {error.__cause__}. Two runs at once would not be noticed, so that "
            "nothing was started. Have locks allowed on that file system, then run again."
        ) from error


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RepositoryBusy(_busy(path)) from None
    except OSError as error:
        raise _NotLockable from error


def holder(path: Path) -> dict[str, object] | None:
    """What the lock file says of its holder, or None where nobody has written into it."""
    try:
        found = json.loads(read_bytes(path))
    except (OSError, ValueError, UsageError):
        return None
    return found if isinstance(found, dict) else None


def _describe(file: int, mission: str) -> None:
    text = {
        "pid": os.getpid(),
        "process": identity(os.getpid()),
        "machine": gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "mission": mission,
    }
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps(text).encode(), 0)


def _busy(path: Path) -> str:
    who = holder(path)
    known = "a process that has not named itself"
    if who:
        known = (
            f"process {who.get('pid')} on {who.get('machine')}, "
            f"since {who.get('since')}, mission {who.get('mission')}"
        )
    return (
        f"another kitty-run works on this repository: {known} (lock file {path}).\n"
        "Wait for it, or stop it with ^C in its terminal; `kitty-run status` shows what it does."
    )
