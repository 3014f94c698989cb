"""The index lock of the root checkout goes only where a killed run's git must have left it."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.locks import clear_root_lock

from tests.git_repos import make_repo

pytestmark = pytest.mark.heavy


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("kitty_run.git.locks.BRIEF", 0.25)
    monkeypatch.setattr("kitty_run.git.locks.PATIENCE", 0)
    made = make_repo(tmp_path / "project").path / ".git" / "index.lock"
    made.touch()
    return made


def clear(lock: Path, killed: tuple[float, float] | None) -> Path | None:
    return asyncio.run(clear_root_lock(lock.parents[1], killed))


def test_one_of_the_killed_run_is_removed(lock: Path) -> None:
    assert clear(lock, (time.time() - 60, time.time() + 60)) == lock
    assert not lock.exists()
    assert clear(lock, None) is None


@pytest.mark.parametrize("age", [-7200, 7200])
def test_one_from_another_time_is_named_with_how_to_make_sure(lock: Path, age: int) -> None:
    os.utime(lock, (time.time() + age, time.time() + age))
    with pytest.raises(WorkspaceError, match=r"no run of kitty-run's was killed then(.|\n)*rm .*index\.lock"):
        clear(lock, (time.time() - 60, time.time() + 60))
    assert lock.exists()


def test_without_a_killed_run_none_is(lock: Path) -> None:
    with pytest.raises(WorkspaceError, match="no run of kitty-run's was killed then"):
        clear(lock, None)
    assert lock.exists()


def test_one_that_a_process_holds_is_left(lock: Path) -> None:
    with lock.open(), pytest.raises(WorkspaceError, match=f"process {os.getpid()} still runs git"):
        clear(lock, (time.time() - 60, time.time() + 60))
    assert lock.exists()
