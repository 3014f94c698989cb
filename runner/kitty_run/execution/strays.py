"""Agents of killed runs that still work in a repository, found without any journal: by their environment."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from kitty_run.execution.process_tree import MARKER

WORKSPACE = "KITTY_WORKSPACE"


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
        told = process.environ()
    except (psutil.Error, OSError):
        return None
    marker = told.get(MARKER)
    if marker is None:
        return None
    workspace = told.get(WORKSPACE)
    here = workspace is not None and Path(workspace).is_relative_to(repo)
    return marker if here or marker.partition("/")[0] in runs else None
