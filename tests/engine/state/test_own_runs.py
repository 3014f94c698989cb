"""Looking at a run while it writes: what it has not come to yet is no change, what others write is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.state.events import Notice
from kitty_run.engine.state.journal import Journal
from kitty_run.engine.state.own_runs import OwnRuns
from kitty_run.engine.state.run_directory import RunPlace, new_run
from kitty_run.engine.state.witness import verify


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "repo").mkdir()
    return tmp_path / "repo"


def look(repo: Path, place: RunPlace) -> tuple[list[str], int]:
    """What is said of the run, and how many events are shown."""
    own = OwnRuns(repo)
    journal = own.journal(place)
    return [*own.notices, *filter(None, [journal.notice])], len(journal.contents.entries)


def test_a_run_under_way_is_never_said_to_be_changed(repo: Path) -> None:
    place = new_run(repo)
    chain = verify(repo).chain(place)
    assert chain is not None
    seen = [look(repo, place)]

    def keep(line: bytes) -> None:
        chain.append(line)
        seen.append(look(repo, place))

    journal = Journal(place.journal, keep=keep)
    journal.open()
    journal.observe(lambda _: seen.append(look(repo, place)))
    for number in range(3):
        journal.write(Notice(str(number)))
    assert seen == [([], 0), ([], 1), ([], 1), ([], 2), ([], 2), ([], 3), ([], 3)]
    with place.journal.open("ab") as file:
        file.write(b"{}\n")
    (notice,), events = look(repo, place)
    assert ("line 4 was not written by kitty-run" in notice, events) == (True, 3)


def test_a_journal_whose_run_has_written_nothing_yet_is_not_believed(repo: Path) -> None:
    place = new_run(repo)
    chain = verify(repo).chain(place)
    assert chain is not None
    chain.close()
    place.journal.write_bytes(b"{}\n")
    assert "line 1 was not written by kitty-run" in look(repo, place)[0][0]
    assert "line 1 was not written by kitty-run" in verify(repo).notices[0]
    assert place.journal.read_bytes() == b""
