"""Whether the process that a journal names is still alive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from socket import gethostname

from kitty_run.engine.state.repository_lock import holder
from kitty_run.report.status import RunStatus

CLOCK_SLACK = 2.0
"""Seconds by which a process may seem to have started after it wrote: both times come from the wall clock."""


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
    return Life.WORKING if lives(run.pid, run.began) else Life.DIED


def lives(pid: int, wrote_at: datetime | None) -> bool:
    """Whether `pid` is a process that was there already when it wrote at `wrote_at`."""
    import psutil

    try:
        process = psutil.Process(pid)
        created, status = process.create_time(), process.status()
    except psutil.Error:
        return False
    early_enough = wrote_at is None or created <= wrote_at.timestamp() + CLOCK_SLACK
    return bool(early_enough) and status != psutil.STATUS_ZOMBIE


def lock_holder(path: Path) -> Mapping[str, object] | None:
    """Who the lock file names, with `alive`: None where that can't be checked from here. None: nobody."""
    found = holder(path)
    if not found:
        return None
    here = found.get("machine") == gethostname()
    try:
        pid, since = int(str(found["pid"])), datetime.fromisoformat(str(found["since"]))
    except (KeyError, ValueError):
        return None
    return {**found, "alive": lives(pid, since) if here else None}
