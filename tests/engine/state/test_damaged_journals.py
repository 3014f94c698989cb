"""Every kind of damage to a killed run's journal is named, and what was spent is counted or said lost."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.digest_chain import store_of
from kitty_run.engine.state.events import AttemptStarted, Event
from kitty_run.engine.state.journal import Journal, read
from kitty_run.engine.state.private_files import ForeignState
from kitty_run.engine.state.run_directory import RunPlace, runs, unfinished_run
from kitty_run.engine.state.run_state import Memory
from kitty_run.engine.state.usage import Usage
from kitty_run.engine.state.witness import verify
from kitty_run.errors import JournalError
from kitty_run.simulation.simulation import Simulation

from tests.engine.world import World

Damage = Callable[[RunPlace], object]


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Damage:
    def damage(place: RunPlace) -> None:
        lines = change(place.journal.read_bytes().splitlines(keepends=True))
        place.journal.write_bytes(b"".join(lines))

    return damage


def _bytes(change: Callable[[bytes], bytes]) -> Damage:
    return lambda place: place.journal.write_bytes(change(place.journal.read_bytes()))


def _ended(change: Callable[[dict[str, object]], object]) -> Damage:
    """`change` is made to the line that says what the first attempt used."""

    def edit(lines: list[bytes]) -> list[bytes]:
        at = _first(lines, b'"attempt.ended"')
        line = json.loads(lines[at])
        changed = change(line)
        text = json.dumps(line if changed is None else changed).encode() + b"\n"
        return [*lines[:at], text, *lines[at + 1 :]]

    return _lines(edit)


def _first(lines: list[bytes], text: bytes) -> int:
    return next(number for number, line in enumerate(lines) if text in line)


def _without(text: bytes) -> Damage:
    return _lines(lambda lines: [line for line in lines if text not in line])


def _set(**keys: object) -> Damage:
    return _ended(lambda line: line.update(keys))


def _in_its_place(make: Callable[[Path], object]) -> Damage:
    def damage(place: RunPlace) -> None:
        place.journal.rename(place.directory / "elsewhere")
        make(place.journal)

    return damage


KINDS: dict[str, Damage] = {
    "the last line lost": _lines(lambda lines: lines[:-1]),
    "a line in the middle lost": _lines(lambda lines: lines[:4] + lines[5:]),
    "the first line lost": _lines(lambda lines: lines[1:]),
    "the ends of attempts lost": _without(b'"attempt.ended"'),
    "the starts of attempts lost": _without(b'"attempt.started"'),
    "emptied": _bytes(lambda _: b""),
    "deleted": lambda place: place.journal.unlink(),
    "its directory deleted": lambda place: shutil.rmtree(place.directory),
    "the last line torn": _bytes(lambda data: data[:-9]),
    "a key missing": _ended(lambda line: line.pop("role") and line),
    "a wrong type": _set(cost_usd="much"),
    "a list": _ended(lambda _: []),
    "a cost taken away": _set(cost_usd=0.0),
    "tokens taken away": _set(input_tokens=7, output_tokens=7),
    "a future version": _set(v=99),
    "another type of the future": _set(type="attempt.over"),
    "a line doubled": _lines(lambda lines: [*lines, lines[-1]]),
    "lines swapped": _lines(lambda lines: [lines[0], *reversed(lines[1:])]),
    "the middle cut out": _bytes(lambda data: data[: len(data) // 3] + data[len(data) // 2 :]),
    "binary junk": _bytes(lambda data: data[:300] + os.urandom(200) + data[300:]),
    "NUL bytes at its end": _bytes(lambda data: data[:-200] + b"\0" * 200),
    "a byte order mark": _bytes(lambda data: b"\xef\xbb\xbf" + data),
    "CRLF": _bytes(lambda data: data.replace(b"\n", b"\r\n")),
    "a line without end": _bytes(lambda data: data + b'{"v": 1, "text": "' + b"x" * (1 << 22) + b'"}\n'),
    "a line nested without end": _bytes(lambda data: data + b"[" * 100_000 + b"\n"),
    "a line of another run": _bytes(lambda data: data + data.splitlines(keepends=True)[0]),
    "a forged end": _bytes(lambda data: data + _forged_end(data)),
    "a directory in its place": _in_its_place(Path.mkdir),
    "a link in its place": _in_its_place(lambda path: path.symlink_to("elsewhere")),
    "a pipe in its place": _in_its_place(os.mkfifo),
}
SOUND_WITHOUT_A_WORD = {"the last line torn", "the last line lost"}
"""What a kill leaves itself."""


def _forged_end(data: bytes) -> bytes:
    last = json.loads(data.splitlines()[-1])
    end = {"type": "run.ended", "exit_status": 0, "reason": "", "seconds": 1.0, "cost_usd": 0.0}
    keys = {"known_cost_usd": 0.0, "unknown_costs": 0, "left": {}}
    line = {"v": last["v"], "seq": last["seq"] + 1, "at": last["at"], **end, **keys}
    return json.dumps(line).encode() + b"\n"


@dataclass
class Killed:
    """A run that was killed amid its third attempt."""

    repo: Path
    place: RunPlace
    used: Usage


class _Kill(BaseException):
    pass


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Killed:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    repo = tmp_path / "repo"
    repo.mkdir()
    world = World(repo, {"WP01": [], "WP02": ["WP01"]})

    def kill(_: Simulation, event: Event, __: Session) -> None:
        if isinstance(event, AttemptStarted) and event.wp == "WP02":
            raise _Kill

    world.on_event = kill
    with pytest.raises(_Kill):
        world.run()
    verify(repo)  # takes it in
    return Killed(repo, world.place, folded(world.place).ledger.run)


def folded(place: RunPlace) -> Memory:
    journal, memory = Journal(place.journal), Memory()
    for entry in journal.open():
        memory.apply(entry)
    journal.close()
    return memory


REFUSED = {kind for kind in KINDS if kind.endswith("in its place")}
"""Nothing starts then."""


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - REFUSED))
def test_what_was_spent_is_counted_and_the_damage_is_named(killed: Killed, kind: str) -> None:
    KINDS[kind](killed.place)
    notices = verify(killed.repo).notices
    assert folded(killed.place).ledger.run == killed.used
    assert unfinished_run(runs(killed.repo), "demo") == killed.place
    assert any(str(killed.place.journal) in one for one in notices) or kind in SOUND_WITHOUT_A_WORD


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - REFUSED - {"its directory deleted"}))
def test_where_the_copy_is_lost_too_people_are_told(killed: Killed, kind: str) -> None:
    shutil.rmtree(store_of(killed.repo))
    KINDS[kind](killed.place)
    notices = verify(killed.repo).notices
    assert any(str(killed.place.directory) in one for one in notices)


@pytest.mark.parametrize("copy", ["kept", "lost"])
@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_what_is_no_file_is_refused(killed: Killed, kind: str, copy: str) -> None:
    if copy == "lost":
        shutil.rmtree(store_of(killed.repo))
    KINDS[kind](killed.place)
    with pytest.raises(ForeignState, match=re.escape(str(killed.place.journal))):
        verify(killed.repo)


def test_no_view_waits_for_a_pipe(killed: Killed) -> None:
    KINDS["a pipe in its place"](killed.place)
    with pytest.raises(JournalError, match="no file"):
        list(read(killed.place.journal))
