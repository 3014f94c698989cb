"""What attempts left running and no process tree leads to: found by environment or working directory."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import psutil

from kitty_run.agents.launch.environment import WORKSPACE
from kitty_run.execution.process_tree import MARKER
from kitty_run.text.clean import clean

INITS = frozenset({"init", "systemd", "launchd"})
"""Names of processes that inherit others', besides that with the number 1."""


def markers_at_work(repo: Path, runs: frozenset[str]) -> tuple[str, ...]:
    """The markers of live processes that belong to attempts in `repo`; `runs` are the ids of its runs.

    This process and those that it descends from are passed over: an agent may start a run of its own.
    """
    own = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    found = {_marker(process, repo, runs) for process in psutil.process_iter() if process.pid not in own}
    spared = os.environ.get(MARKER)
    return tuple(sorted(marker for marker in found if marker is not None and marker != spared))


def _marker(process: psutil.Process, repo: Path, runs: frozenset[str]) -> str | None:
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return None
    marker = environment.get(MARKER)
    if marker is None:
        return None
    workspace = environment.get(WORKSPACE)
    here = workspace is not None and Path(workspace).is_relative_to(repo)
    return marker if here or marker.partition("/")[0] in runs else None


def others_in(place: Path) -> tuple[str, ...]:
    """The processes of this user that work in `place` or have a file there open, each in words.

    This process is passed over, with those that it descends from and those that descend from it. Whoever
    asks has ended what is certainly an attempt's.
    """
    root, me = os.path.realpath(place), psutil.Process()
    own = {me.pid, *(one.pid for one in (*me.parents(), *me.children(recursive=True)))}
    found = (one for one in psutil.process_iter() if one.pid not in own and _is_in(one, root))
    return tuple(_named(process) for process in found)


def _is_in(process: psutil.Process, root: str) -> bool:
    try:
        with process.oneshot():
            if process.uids().real != os.getuid() or process.status() == psutil.STATUS_ZOMBIE:
                return False
            return Path(process.cwd()).is_relative_to(root) or any(
                Path(file.path).is_relative_to(root) for file in process.open_files()
            )
    except (psutil.Error, OSError):
        return False


def _named(process: psutil.Process) -> str:
    try:
        return f"process {process.pid} ({clean(process.name())})"
    except (psutil.Error, OSError):
        return f"process {process.pid}"


def orphans_in(places: Collection[Path], since: float) -> tuple[psutil.Process, ...]:
    """Daemons of this user that work in one of `places` and were started after `since` (epoch seconds).

    For what an agent hid from its supervisor. What has a terminal, or a parent that is no init process, may
    be a person's and is passed over.
    """
    if not places:
        return ()
    roots = tuple(os.path.realpath(place) for place in places)
    return tuple(process for process in psutil.process_iter() if _is_orphan(process, roots, since))


def _is_orphan(process: psutil.Process, roots: tuple[str, ...], since: float) -> bool:
    try:
        with process.oneshot():
            if process.pid == os.getpid() or process.uids().real != os.getuid():
                return False
            if process.create_time() < since or process.terminal() is not None:
                return False
            if not any(Path(process.cwd()).is_relative_to(root) for root in roots):
                return False
            return process.ppid() == 1 or psutil.Process(process.ppid()).name() in INITS
    except (psutil.Error, OSError):
        return False
