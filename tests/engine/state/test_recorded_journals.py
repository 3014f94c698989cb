"""Journals that version 0.1.0 wrote are read, folded and shown by every later version."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kitty_run.engine.state.events import EVENTS, AttemptEnded, Unknown
from kitty_run.engine.state.events.codec import from_line, to_line
from kitty_run.engine.state.journal import scan
from kitty_run.engine.state.run_state import Memory
from kitty_run.report.html import page
from kitty_run.report.liveness import Life
from kitty_run.report.status import follow
from kitty_run.resources import schema_path

JOURNALS = sorted((Path(__file__).parent / "journals" / "0.1.0").glob("*.jsonl"))
SCHEMA: dict[str, Any] = json.loads(schema_path("event").read_text(encoding="utf-8"))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def named(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", JOURNALS, ids=named)
def test_every_line_is_an_event_and_is_written_as_it_was_read(path: Path) -> None:
    found = scan(path)
    assert found.damaged == ()
    assert [entry for entry in found.entries if isinstance(entry.event, Unknown)] == []
    assert [to_line(entry, number) for number, entry in enumerate(found.entries, 1)] == lines(path)


@pytest.mark.parametrize("path", JOURNALS, ids=named)
def test_lines_without_the_keys_that_were_added_later_are_events_too(path: Path) -> None:
    for line in lines(path):
        required = {*SCHEMA["$defs"][line["type"]]["required"], "wp"}
        older = {key: value for key, value in line.items() if key in required}
        assert type(from_line(older).event) is EVENTS[line["type"]]


@pytest.mark.parametrize("path", JOURNALS, ids=named)
def test_memory_status_and_page_are_made_of_it(path: Path) -> None:
    entries, memory = scan(path).entries, Memory()
    for entry in entries:
        memory.apply(entry)
    ended = sum(isinstance(entry.event, AttemptEnded) for entry in entries)
    assert memory.ledger.run.attempts >= ended
    run = follow("run-1", entries)
    assert run.exit_status is not None
    assert all(one.result and one.code for one in run.work_packages.values() if one.attempts)
    text = page("run-1", entries, Life.ENDED, entries[-1].at + timedelta(seconds=1))
    assert all(wp in text for wp in run.work_packages)


def test_the_recorded_journals_have_every_type_that_0_1_0_wrote() -> None:
    assert len({line["type"] for path in JOURNALS for line in lines(path)}) == 39
