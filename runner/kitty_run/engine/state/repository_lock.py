"""One runner per repository: an advisory file lock that tells who holds it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname

from kitty_run.errors import ExitStatus, UsageError


class RepositoryBusy(UsageError):
    """Another runner works on this repository."""

    exit_status = ExitStatus.INCOMPLETE


@contextmanager
def repository_lock(path: Path, mission: str) -> Iterator[None]:
    """Hold the lock file `path` while the body runs; the operating system frees it if the runner dies.

    Raises `RepositoryBusy` at once, naming the holder, if another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RepositoryBusy(_busy(path)) from None
        _describe(path, mission)
        try:
            yield
        finally:
            path.write_text("", encoding="utf-8")


def holder(path: Path) -> dict[str, object] | None:
    """What the lock file says of its holder, or None where nobody has written into it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _describe(path: Path, mission: str) -> None:
    text = {
        "pid": os.getpid(),
        "machine": gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "mission": mission,
    }
    path.write_text(json.dumps(text), encoding="utf-8")


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
