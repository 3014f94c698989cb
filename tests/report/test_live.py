"""The live view: what a person sees while a run works, in pipes and on terminals."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kitty_run.engine.state.end_codes import Result
from kitty_run.engine.state.events import (
    EVENTS,
    AttemptEnded,
    AttemptProcess,
    CallStarted,
    Entry,
    Event,
    ProcessEnded,
    RunEnded,
    WpEnded,
)
from kitty_run.report.event_text import sentence
from kitty_run.report.live import PLAIN_WIDTH, Level, Live
from kitty_run.report.sentence import words
from pytest_snapshot.plugin import Snapshot

from tests.engine.state.example_events import ENDED
from tests.report.stories import STORIES, Played

UNTOLD = {CallStarted, AttemptProcess, ProcessEnded, RunEnded}
"""Types that only the runner needs; the end of a run has its own summary."""

Play = Callable[[str], Played]
SNAPSHOTS = Path(__file__).parent / "snapshots" / "live"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def view(entries: list[Entry], base: Path, level: Level = "normal", stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    live = Live(stream, level, base=base, env={"TERM": "xterm"})
    for entry in entries:
        live.show(entry)
    return stream.getvalue()


def plain(text: str, root: Path) -> str:
    """Without what differs from run to run."""
    return re.sub(r"\b[0-9a-f]{10,12}\b", "COMMIT", text.replace(str(root), "ROOT"))


@pytest.mark.parametrize("name", list(STORIES))
def test_what_is_seen_of(name: str, play: Play, snapshot: Snapshot) -> None:
    world = play(name)
    snapshot.snapshot_dir = SNAPSHOTS
    snapshot.assert_match(plain(view(world.entries(), world.root), world.root), f"{name}.txt")


def test_verbose_shows_calls_lanes_and_commits_too(play: Play, snapshot: Snapshot) -> None:
    world = play("smooth")
    snapshot.snapshot_dir = SNAPSHOTS
    snapshot.assert_match(
        plain(view(world.entries(), world.root, "verbose"), world.root), "smooth-verbose.txt"
    )


def test_quiet_shows_nothing(play: Play) -> None:
    assert view(play("smooth").entries(), Path(), "quiet") == ""


def test_every_type_is_shown_or_meant_not_to_be() -> None:
    silent = words.dispatch(Event)
    assert {kind for kind in EVENTS.values() if words.dispatch(kind) is silent} == UNTOLD


@pytest.mark.parametrize("name", list(STORIES))
def test_every_line_is_one_line_and_every_failed_attempt_names_its_log(name: str, play: Play) -> None:
    lines = view(play(name).entries(), Path(), "verbose").splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d  (WP\d\d |-    )  \S", line) for line in lines)
    failed = [line for line in lines if re.search(r"(implement|review) \d+: \w+ failed", line)]
    assert all(re.search(r"; log \S+/logs/WP\d\d/\S+\.log$", line) for line in failed)


def ended(reason: str) -> Entry:
    return Entry(datetime(2030, 1, 1, tzinfo=UTC), WpEnded("WP01", Result.BLOCKED, reason=reason))


def test_a_long_reason_of_many_lines_is_cut_to_one() -> None:
    line = view([ended("a reason\nof many words " * 50)], Path())
    assert line.count("\n") == 1
    assert len(line) <= PLAIN_WIDTH + 1
    assert line.endswith("…\n")


def test_on_a_terminal_lines_fit_its_width_and_have_colours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 24)))
    text = view([ended("many words " * 50)], Path(), stream=Terminal())
    assert "\x1b[31m" in text
    assert len(re.sub(r"\x1b\[\d+m", "", text)) <= 81


def test_a_log_that_does_not_fit_beside_is_on_its_own_line_on_a_terminal(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 24)))
    world = play("failing_agents")
    failed = [
        entry for entry in world.entries() if isinstance(entry.event, AttemptEnded) and entry.event.failure
    ]
    text = view(failed[:1], world.root, stream=Terminal())
    assert re.search(r"\n {17}log \.kitty-run/\S+\.log\n$", text)


@pytest.mark.parametrize("env", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}], ids=json.dumps)
def test_without_colours_where_they_are_not_wanted(env: dict[str, str]) -> None:
    stream = Terminal()
    Live(stream, base=Path(), env=env).show(ended("why"))
    assert "\x1b" not in stream.getvalue()


def test_a_reason_that_was_just_shown_is_not_repeated(play: Play) -> None:
    world = play("failing_agents")
    first = world.events(AttemptEnded)[0]
    text = view(world.entries(), Path())
    assert text.count(first.rule) <= 2  # once as it happened, once in the final reason


def test_what_looks_like_a_secret_is_masked() -> None:
    text = view([ended("it printed ghp_" + "a1B2" * 9)], Path())
    assert "ghp_" not in text
    assert "it printed ***" in text


def test_what_was_left_out_of_a_log_is_said() -> None:
    said = sentence(replace(ENDED, left_out=3_210_000_000))
    assert said is not None
    assert "3210.0 MB of its output left out of the log" in said.text
    assert "left out" not in str(sentence(ENDED))
