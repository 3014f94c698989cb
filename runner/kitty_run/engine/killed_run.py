"""What a run that was killed left at the root checkout: a lock of git, removed only if it must be its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kitty_run.engine.state.events import Entry, RunEnded, RunStarted
from kitty_run.errors import WorkspaceError
from kitty_run.git.command import TIMEOUT
from kitty_run.git.locks import clear_root_lock


async def clear_lock(repo: Path, entries: Sequence[Entry]) -> tuple[str, ...]:
    """Remove the index lock of the root checkout if a run of these `entries` was killed and left it.

    Returns what is to be said of it. One that may be somebody else's stays: the calls that it is in the way
    of wait for it, and name it.
    """
    try:
        lock = await clear_root_lock(repo, _killed(entries))
    except WorkspaceError:
        return ()
    if lock is None:
        return ()
    return (f"removed {lock}: git of the run that was killed left it, and no process had it open",)


def _killed(entries: Sequence[Entry]) -> tuple[float, float] | None:
    """When the last session began, and when its last git call must have ended; None: it was not killed."""
    began = None
    for entry in entries:
        if isinstance(entry.event, RunStarted):
            began = entry.at.timestamp()
        elif isinstance(entry.event, RunEnded):
            began = None
    return None if began is None else (began, entries[-1].at.timestamp() + TIMEOUT)
