"""A run's status, from its journal and from whether its process lives."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from socket import gethostname

import pytest
from kitty_run.cli.own_runs import RunReader
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptProcess,
    CallStarted,
    Entry,
    Event,
    FamilyAwaited,
    LimitReached,
    RetryDecided,
    ReworkStarted,
    RunStarted,
    WpEnded,
)
from kitty_run.engine.state.journal import Journal
from kitty_run.engine.state.run_directory import RunPlace, new_run
from kitty_run.engine.state.witness import verify
from kitty_run.process_identity import identity
from kitty_run.report.liveness import Life, life, lives, lock_holder
from kitty_run.report.status import RunStatus, follow
from kitty_run.report.status_text import as_json, as_text, lock_line
from kitty_run.report.watch import watch
from pytest_snapshot.plugin import Snapshot

from tests.engine.world import START
from tests.report.stories import STORIES, Played

Play = Callable[[str], Played]
SNAPSHOTS = Path(__file__).parent / "snapshots" / "status"


def status(world: Played, until: Callable[[Event], bool] = lambda _: False) -> RunStatus:
    """The run as it was right after the event that `until` is true of, or at the end."""
    return follow("run-1", _up_to(world.entries(), until))


def _up_to(entries: Iterable[Entry], until: Callable[[Event], bool]) -> Iterable[Entry]:
    for entry in entries:
        yield entry
        if until(entry.event):
            return


def text(run: RunStatus, state: Life, world: Played, seconds: float = 0.0) -> str:
    assert run.latest is not None
    now = run.latest + timedelta(seconds=seconds)
    printed = as_text(run, state, world.place.directory, now, world.root).replace(str(world.root), "ROOT")
    printed = printed.replace(f"process {os.getpid()} on {gethostname()}", "process PID on MACHINE")
    return re.sub(r"\b[0-9a-f]{10,12}\b", "COMMIT", printed)


@pytest.mark.parametrize("name", list(STORIES))
def test_the_status_at_the_end_of(name: str, play: Play, snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = SNAPSHOTS
    world = play(name)
    snapshot.assert_match(text(status(world), Life.ENDED, world), f"{name}.txt")


@pytest.mark.parametrize(
    ("moment", "story", "until"),
    [
        ("an-agent-works", "rework", lambda event: isinstance(event, AttemptProcess)),
        ("waiting-to-retry", "leftovers", lambda event: isinstance(event, RetryDecided)),
        ("checking", "checks", lambda event: isinstance(event, AttemptEnded)),
        ("merging", "smooth", lambda event: isinstance(event, CallStarted) and event.operation == "merge"),
        (
            "families-are-limited",
            "limited",
            lambda event: isinstance(event, FamilyAwaited) and event.wp == "WP02",
        ),
        ("reworking", "rework", lambda event: isinstance(event, ReworkStarted)),
        ("at-a-limit", "limit", lambda event: isinstance(event, LimitReached)),
    ],
)
def test_the_status_while(
    moment: str, story: str, until: Callable[[Event], bool], play: Play, snapshot: Snapshot
) -> None:
    snapshot.snapshot_dir = SNAPSHOTS
    world = play(story)
    shown = text(status(world, until), Life.WORKING, world, seconds=0.25)
    snapshot.assert_match(shown, f"while-{moment}.txt")


def test_a_run_whose_process_died_is_shown_as_such(play: Play, snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = SNAPSHOTS
    world = play("rework")
    run = status(world, lambda event: isinstance(event, AttemptProcess))
    snapshot.assert_match(text(run, Life.DIED, world), "died.txt")


def test_an_answered_gate_asks_for_the_next_run_only(play: Play, tmp_path: Path) -> None:
    world = play("gates")
    assert "merge waits: `kitty-run approve merge`" in text(status(world), Life.ENDED, world)
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates" / "merge.json").write_text("{}", encoding="utf-8")
    assert "merge is answered" in as_text(status(world), Life.ENDED, tmp_path, START)


@pytest.mark.parametrize("name", list(STORIES))
def test_the_json_has_every_work_package_and_plain_values_only(name: str, play: Play) -> None:
    world = play(name)
    printed = json.loads(json.dumps(as_json(status(world), Life.ENDED, world.place.directory, None)))
    assert list(printed["work_packages"]) == list(world.lanes())
    assert {wp: one["lane"] for wp, one in printed["work_packages"].items()} == world.lanes()
    codes = {event.wp: event.code for event in world.events(WpEnded)}
    assert {wp: one["code"] for wp, one in printed["work_packages"].items()} == {
        wp: codes.get(wp, "") for wp in world.lanes()
    }
    assert all(codes.get(wp) in {one.code, None} for wp, one in world.report.work_packages.items())
    assert printed["state"] == "ended"


def test_a_process_lives_only_if_it_is_the_one_that_wrote() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        known = identity(process.pid)
        assert known
        assert lives(process.pid, known)
        assert not lives(process.pid, identity(os.getpid()) or "")
        process.stdin.close()  # type: ignore[union-attr]
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not lives(process.pid, known), "it has ended, though its pid is still taken"
    assert not lives(process.pid, known)
    assert not lives(os.getpid(), ""), "it did not say what it is known by"


def test_life_is_known_by_the_journal_first_and_by_the_process_next(play: Play) -> None:
    ended = status(play("smooth"))
    assert life(ended) is Life.ENDED
    cut = status(play("smooth"), lambda event: isinstance(event, AttemptProcess))
    assert life(cut) is Life.WORKING  # the process of this test
    cut.machine = "another"
    assert life(cut) is Life.ELSEWHERE


def test_the_lock_says_who_holds_it_and_whether_they_live(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert lock_holder(path) is None
    known = {
        "pid": os.getpid(),
        "process": identity(os.getpid()),
        "machine": gethostname(),
        "since": "2001-01-01T00:00:00+00:00",
    }
    for changes, words in (
        ({}, "it is running"),
        ({"since": "2100-01-01T00:00:00+00:00"}, "it is running"),
        ({"process": "another boot/17"}, "it is gone"),
        ({"machine": "another"}, "can't be seen from here"),
    ):
        path.write_text(json.dumps({**known, "mission": "demo", **changes}), encoding="utf-8")
        lock = lock_holder(path)
        assert lock is not None
        assert words in lock_line(lock)


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO(), Screen()], ids=["pipe", "terminal"])
def test_watching_shows_what_is_added_and_ends_with_the_run(
    stream: io.StringIO, play: Play, tmp_path: Path
) -> None:
    entries = play("smooth").entries()
    place = RunPlace(tmp_path)
    journal = Journal(place.journal, lambda: entries[0].at)
    journal.open()

    def add(_: float = 0.0) -> None:
        for entry in entries[: len(entries) // 3 + 1]:
            journal.write(entry.event)
        del entries[: len(entries) // 3 + 1]

    add()
    watch(place, stream, add)
    journal.close()
    assert entries == []
    shown = stream.getvalue()
    assert "ada is done" in shown or isinstance(stream, Screen)
    assert "done (exit status 0)" in shown


def test_watching_goes_by_what_is_kept_outside_where_the_file_is_taken_away(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    entries, place = play("smooth").entries(), new_run(tmp_path)
    chain = verify(tmp_path).chain(place)
    assert chain is not None
    journal = Journal(place.journal, lambda: START, chain.append)
    journal.open()
    journal.write(entries.pop(0).event)

    def add(_: float) -> None:
        place.journal.unlink(missing_ok=True)
        journal.write(entries.pop(0).event)

    stream = io.StringIO()
    watch(place, stream, add, RunReader(tmp_path))
    assert "done (exit status 0)" in stream.getvalue()
    assert capsys.readouterr().err.count("is not as kitty-run wrote it") == 1


def test_watching_a_run_that_died_ends(play: Play, tmp_path: Path) -> None:
    first = play("smooth").entries()[0]
    place = RunPlace(tmp_path)
    journal = Journal(place.journal, lambda: START)
    journal.open()
    assert isinstance(first.event, RunStarted)
    journal.write(replace(first.event, process="another boot/17"))
    journal.close()
    stream = io.StringIO()
    watch(place, stream, lambda _: pytest.fail("there is nothing to wait for"))
    assert "died" in stream.getvalue()
