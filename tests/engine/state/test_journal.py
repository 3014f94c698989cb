"""The journal: what is on the disk, torn lines, strange lines, and a disk that is full."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from kitty_run.engine.state.events import CallEnded, Entry, Notice, WpMoved
from kitty_run.engine.state.journal import Journal, read
from kitty_run.errors import JournalError
from kitty_run.host.model import Lane


def opened(path: Path) -> Journal:
    journal = Journal(path)
    journal.open()
    return journal


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    journal = opened(tmp_path / "runs" / "events.jsonl")
    written = [journal.write(Notice("demo")), journal.write(WpMoved("WP01", Lane.DONE))]
    assert list(read(journal.path)) == written


def test_lines_are_numbered_on_after_a_reopening(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for _ in range(2):
        journal = opened(path)
        journal.write(Notice("ä\nö"))
        journal.close()
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [1, 2]


def test_a_torn_last_line_is_cut_off_and_the_rest_continues(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = opened(path)
    journal.write(Notice("whole"))
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"v":1,"seq":2,"type":"att')
    again = Journal(path)
    assert [entry.event for entry in again.open()] == [Notice("whole")]
    again.write(Notice("after"))
    assert [entry.event for entry in read(path)] == [Notice("whole"), Notice("after")]


def test_a_full_disk_stops_the_run_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = opened(tmp_path / "events.jsonl")

    def full(_: int, __: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalError, match=r"No space left on device.*start the same command again"):
        journal.write(Notice("x"))


def test_observers_hear_of_an_event_after_it_is_on_the_disk(tmp_path: Path) -> None:
    journal = opened(tmp_path / "events.jsonl")
    seen: list[tuple[Entry, int]] = []
    journal.observe(lambda event: seen.append((event, len(list(read(journal.path))))))
    event = journal.write(Notice("x"))
    assert seen == [(event, 1)]


def test_every_line_is_synced_to_the_disk_before_anything_follows_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that a power cut takes with it announces nothing."""
    journal = opened(tmp_path / "events.jsonl")
    happened: list[str] = []
    sync = os.fsync

    def fsync(file: int) -> None:
        happened.append(f"synced {len(list(read(journal.path)))}")
        sync(file)

    monkeypatch.setattr(os, "fsync", fsync)
    journal.observe(lambda _: happened.append("observed"))
    journal.write(Notice("x"))
    journal.write(Notice("y"))
    assert happened == ["synced 1", "observed", "synced 2", "observed"]


def test_a_journal_is_private_to_its_owner(tmp_path: Path) -> None:
    journal = opened(tmp_path / "events.jsonl")
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_a_number_that_json_has_not_is_never_written(tmp_path: Path) -> None:
    journal = opened(tmp_path / "events.jsonl")
    with pytest.raises(ValueError, match="not JSON compliant"):
        journal.write(CallEnded("claim", None, float("nan"), wp="WP01"))
    assert journal.path.read_bytes() == b""
