"""What a run that was killed left: a lock of git at the root checkout, and agents at work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kitty_run.engine.others_at_work import workspaces_of
from kitty_run.engine.state.events import Entry, Notice, ProcessEnded, RunEnded, RunStarted
from kitty_run.engine.state.journal import Journal
from kitty_run.engine.state.run_directory import runs
from kitty_run.engine.state.run_state import Memory
from kitty_run.errors import WorkspaceError
from kitty_run.execution.protocol import Executor
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


async def end_leftovers(journal: Journal, memory: Memory, repo: Path, executor: Executor) -> None:
    """End the agents that a killed run left behind: no agent works where a new one is about to.

    Those that no journal knows of any more are found by the marker in their environment.
    """
    ids = frozenset(place.id for place in runs(repo))
    found = await executor.leftovers(ids)
    if not memory.processes and not found:
        return
    markers = {*memory.processes, *found}
    workspaces = workspaces_of(repo, memory)
    ended = await executor.end_leftovers(markers, tuple(memory.processes.values()), workspaces)
    for marker in tuple(memory.processes):
        journal.write(ProcessEnded(marker))
    if ended:
        journal.write(Notice(f"ended {ended} process(es) that an earlier, killed run left behind"))


def _killed(entries: Sequence[Entry]) -> tuple[float, float] | None:
    """When the last session began, and when its last git call must have ended; None: it was not killed."""
    began = None
    for entry in entries:
        if isinstance(entry.event, RunStarted):
            began = entry.at.timestamp()
        elif isinstance(entry.event, RunEnded):
            began = None
    return None if began is None else (began, entries[-1].at.timestamp() + TIMEOUT)
