"""Whether the process that a journal names is still alive."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from socket import gethostname

from kitty_run.engine.state.repository_lock import holder
from kitty_run.process_identity import identity
from kitty_run.report.status import RunStatus


class Life(StrEnum):
    """What is known of a run's process."""

    ENDED = "ended"
    WORKING = "working"
    DIED = "died"
    ELSEWHERE = "elsewhere"
    """It runs on another machine, where it can't be checked from here."""


def life(run: RunStatus) -> Life:
    """Of the latest session's process. A pid alone says nothing: another process may have it by now."""
    if run.exit_status is not None:
        return Life.ENDED
    if run.machine != gethostname():
        return Life.ELSEWHERE
    return Life.WORKING if lives(run.pid, run.process) else Life.DIED


def lives(pid: int, process: str) -> bool:
    """Whether `pid` is still the process that wrote of itself that it is known as `process`."""
    return process != "" and identity(pid) == process


def lock_holder(path: Path) -> Mapping[str, object] | None:
    """Who the lock file names, with `alive`: None where that can't be checked from here. None: nobody."""
    found = holder(path)
    if not found:
        return None
    here = found.get("machine") == gethostname()
    try:
        pid, process, since = int(str(found["pid"])), str(found["process"]), str(found["since"])
    except (KeyError, ValueError):
        return None
    return {**found, "since": since, "alive": lives(pid, process) if here else None}
