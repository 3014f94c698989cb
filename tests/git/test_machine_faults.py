"""Git that fails since the machine does is no fault of the workspace."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.command import Git
from kitty_run.machine import MachineFault

from tests.git_repos import GitRepo

PAUSES = (
    "error: unable to create temporary file: No space left on device",
    "fatal: cannot create directory at 'a': Disk quota exceeded",
    "fatal: Unable to create '/r/.git/index.lock': Read-only file system",
    "error: file write error: Input/output error\nfatal: adding files failed",
    'error: open("a"): Too many open files',
    "error: insufficient permission for adding an object to repository database .git/objects",
)
OTHERS = (
    "fatal: pathspec 'No space left on device' did not match any files",
    'error: open("a"): Permission denied',
    "",
)


@pytest.mark.parametrize("words", PAUSES)
def test_what_the_machine_is_the_cause_of_is_reported_with_gits_line(tmp_path: Path, words: str) -> None:
    fault = MachineFault.said_by("`git add`", tmp_path, words)
    assert fault is not None
    assert "`git add` failed: error: " in str(fault) or "`git add` failed: fatal: " in str(fault)
    assert "file system /" in str(fault)


@pytest.mark.parametrize("words", OTHERS)
def test_other_complaints_are_not_the_machines(tmp_path: Path, words: str) -> None:
    assert MachineFault.said_by("`git add`", tmp_path, words) is None


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond a few bytes: a real cause, of which git says nothing at all."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_git_that_is_ended_without_a_word_is_looked_after(tmp_path: Path, small_files: None) -> None:
    with pytest.raises(MachineFault, match=r"File too large.*ulimit -f"):
        asyncio.run(Git(tmp_path).run("init", "-q"))


def test_a_refusal_with_room_left_is_the_workspaces(tmp_path: Path) -> None:
    GitRepo(tmp_path).git("init", "-q")
    with pytest.raises(WorkspaceError, match="no-such-thing"):
        asyncio.run(Git(tmp_path).run("no-such-thing"))
