"""What a start reads again, what it removes of repositories that are gone, and whose files it refuses."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.engine.state.digest_chain import FORGOTTEN, store_of
from kitty_run.engine.state.events import Notice, RunEnded
from kitty_run.engine.state.journal import Journal
from kitty_run.engine.state.private_files import ForeignState, make_private
from kitty_run.engine.state.repository_lock import repository_lock
from kitty_run.engine.state.run_directory import RunPlace, new_run
from kitty_run.engine.state.witness import verify


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return made(tmp_path / "repo")


def made(repo: Path) -> Path:
    repo.mkdir()
    return repo


def session(repo: Path, exit_status: int = 0) -> RunPlace:
    """A run with its journal, to its end."""
    place = new_run(repo)
    chain = verify(repo).chain(place)
    assert chain is not None
    journal = Journal(place.journal, keep=chain.append)
    journal.open()
    for event in (Notice("x"), RunEnded(exit_status=exit_status, reason="", seconds=1.0)):
        journal.write(event)
    journal.close()
    chain.close()
    return place


def after(seconds: float) -> Callable[[], float]:
    """A clock that is so much further than the machine's."""
    return lambda: time.time() + seconds


def test_what_was_compared_and_not_touched_since_is_not_read_again(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, stopped = session(repo), session(repo, exit_status=4)
    verify(repo, after(60))
    opened, usual = [], os.open

    def recording(path: str | Path, *rest: int, **named: int) -> int:
        opened.append(Path(path))
        return usual(path, *rest, **named)

    monkeypatch.setattr(os, "open", recording)
    assert verify(repo, after(60)).notices == []
    assert ended.journal not in opened
    assert stopped.journal in opened, "it is continued by what it says"


def _same_size_and_time(journal: Path) -> None:
    before = journal.stat()
    journal.write_bytes(journal.read_bytes().replace(b"x", b"y"))
    os.utime(journal, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replaced(journal: Path) -> None:
    _same_size_and_time(Path(shutil.copy2(journal, journal.with_name("copy"))))
    journal.with_name("copy").replace(journal)


@pytest.mark.parametrize("attack", [_same_size_and_time, _replaced, Path.unlink])
def test_what_was_touched_since_is_compared(repo: Path, attack: Callable[[Path], object]) -> None:
    place = session(repo)
    right = place.journal.read_bytes()
    verify(repo, after(60))
    attack(place.journal)
    (notice,) = verify(repo, after(60)).notices
    assert f"{place.journal} was changed" in notice
    assert place.journal.read_bytes() == right


def test_what_was_just_written_is_compared_again(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = session(repo)
    found = place.journal.stat()
    for _ in range(2):  # the file's times could be the same after one more change
        verify(repo, lambda: found.st_ctime + 1)
    opened, usual = [], os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: opened.append(Path(path)) or usual(path, *rest))
    verify(repo, after(60))
    assert place.journal in opened


def test_what_is_kept_of_repositories_that_are_gone_is_removed_in_the_end(repo: Path, tmp_path: Path) -> None:
    other, moved, here = (made(tmp_path / name) for name in ("other", "moved", "here"))
    for one in (other, moved, here):
        session(one)
    gone, left, stays = (store_of(one) for one in (other, moved, here))
    shutil.rmtree(other)
    moved.rename(tmp_path / "elsewhere")
    made(moved)
    (stays.parent / "notes").mkdir()
    verify(repo, after(FORGOTTEN - 60))
    assert gone.exists()
    assert left.exists()
    verify(repo, after(FORGOTTEN + 60))
    assert {path.name for path in stays.parent.iterdir()} == {store_of(repo).name, stays.name, "notes"}
    assert verify(here).notices == []


def test_a_link_among_what_is_kept_is_not_followed(repo: Path, tmp_path: Path) -> None:
    other = made(tmp_path / "other")
    session(other)
    gone = store_of(other)
    outside = gone.rename(tmp_path / "outside")
    gone.symlink_to(outside)
    shutil.rmtree(other)
    verify(repo, after(FORGOTTEN + 60))
    assert (outside / "known").exists()


def test_half_removed_records_are_removed_at_the_next_start(repo: Path, tmp_path: Path) -> None:
    other = made(tmp_path / "other")
    session(other)
    half = store_of(other).rename(store_of(other).with_suffix(".removed"))
    (half / "known").unlink()
    verify(repo)
    assert not half.exists()


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A directory of another user: whoever is root gives one away, for all others root's will do."""
    if os.geteuid() != 0:
        return Path("/usr")
    folder = made(tmp_path / "foreign")
    os.chown(folder, 65534, 65534)
    return folder


def test_a_directory_of_another_user_is_refused(foreign: Path) -> None:
    before = sorted(foreign.iterdir())
    with pytest.raises(ForeignState, match="belongs to another user"):
        make_private(foreign)
    with (
        pytest.raises(ForeignState, match="belongs to another user"),
        repository_lock(foreign / "lock", "demo"),
    ):
        pass
    assert sorted(foreign.iterdir()) == before


def test_nothing_is_kept_in_a_state_directory_of_another_user(
    repo: Path, foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(foreign))
    before = sorted(foreign.iterdir())
    witness = verify(repo)
    assert witness.store is None
    assert "belongs to another user" in witness.notices[0]
    assert sorted(foreign.iterdir()) == before
