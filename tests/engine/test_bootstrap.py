"""From a loaded profile to a session: one runner for each repository, and nobody else's agents at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kitty_run.engine.bootstrap import Request, launch
from kitty_run.engine.state.events import Entry, Event, Notice
from kitty_run.engine.state.repository_lock import RepositoryBusy, repository_lock
from kitty_run.engine.state.run_directory import home, runs
from kitty_run.profile.load import load

from tests.cli.project import Project, make

pytestmark = pytest.mark.whole


def started(project: Project) -> list[Event]:
    """The events of a run of the project, up to the gate that it waits at."""
    seen: list[Entry] = []
    launch(Request(load(project.profile), "demo", project.root), seen.append)
    return [entry.event for entry in seen]


def test_a_second_runner_is_refused_before_anything_is_called(tmp_path: Path) -> None:
    project = make(tmp_path / "repo", gates=("start",))
    with repository_lock(home(project.root) / "lock", "other"), pytest.raises(RepositoryBusy):
        started(project)
    assert runs(project.root) == []


def test_an_agent_of_a_killed_run_is_ended_before_anything_starts(tmp_path: Path) -> None:
    project = make(tmp_path / "repo", gates=("start",))
    env = {**os.environ, "KITTY_RUN_ATTEMPT": "lost/WP01/implement-1"}
    env["KITTY_WORKSPACE"] = str(project.root / ".worktrees" / "WP01")
    with subprocess.Popen([sys.executable, "-c", "input()"], env=env, stdin=subprocess.PIPE) as left:
        try:
            events = started(project)
            assert left.poll() == -signal.SIGTERM
        finally:
            left.kill()
    assert [one.text for one in events if isinstance(one, Notice) and "ended 1 process" in one.text]
