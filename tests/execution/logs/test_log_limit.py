"""Of a log without end the beginning and the end are kept, and no more of it is on the disk meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kitty_run.agents.results.outcome import classify
from kitty_run.execution.logs import log_limit
from kitty_run.profile.model import Agent, Output

from tests.execution.launching import launch, run

LIMIT = 4_000_000
WRITES = """
import os, sys, time
line = b'{"n": "%%09d", "text": "' + b"x" * 970 + b'"}\\n'
print('{"session": "s-1"}', flush=True)
for n in range(40_000):
    os.write(1, line %% n)
log = os.stat({log!r})
while log.st_blocks * 512 > {most}:
    time.sleep(0.02)
    log = os.stat({log!r})
print('{"result": "all done"}', flush=True)
"""


def writes(log: Path, most: int) -> str:
    text = WRITES.replace("{log!r}", repr(str(log))).replace("{most}", str(most))
    return text.replace("%%", "%")


def test_head_and_tail_are_kept_and_the_result_is_read(tmp_path: Path) -> None:
    one = launch(tmp_path, writes(tmp_path / "out.log", LIMIT + 1_000_000), log_limit=LIMIT)
    ended = run(one)
    assert ended.ending == "exit", "its log took more of the disk than it may for as long as it ran"
    lines = ended.stdout.read_bytes().splitlines()
    size = ended.stdout.stat().st_size
    assert LIMIT * 0.9 < size < LIMIT * 1.1
    (note,) = [number for number, line in enumerate(lines) if line.startswith(b"[kitty-run left out ")]
    assert str(ended.left_out) in lines[note].decode()
    kept = [int(json.loads(line)["n"]) for line in lines[1 : note - 1] + lines[note + 1 : -1]]
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (0, 39_999)
    missing = 40_000 - len(kept)
    assert ended.left_out == missing * len(lines[1] + b"\n")
    output = Output("jsonl", message="/result", session="/session")
    outcome = classify(Agent("a", "f", ("a",), output=output), ended, datetime.now(UTC))
    assert (outcome.message, outcome.session, outcome.failure) == ("all done", "s-1", None)


def test_what_is_not_too_long_stays_as_it_is(tmp_path: Path) -> None:
    ended = run(launch(tmp_path, f"print('x' * {LIMIT - 1})", log_limit=LIMIT))
    assert ended.left_out == 0
    assert ended.stdout.read_bytes() == b"x" * (LIMIT - 1) + b"\n"


def test_one_line_without_end_is_cut_too(tmp_path: Path) -> None:
    ended = run(launch(tmp_path, f"print('x' * {3 * LIMIT})", log_limit=LIMIT))
    assert ended.stdout.stat().st_size < LIMIT + 200
    assert ended.left_out > 1.9 * LIMIT


def test_a_file_system_that_gives_nothing_back_gets_the_short_log_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_limit, "_punch", lambda *_: False)
    ended = run(launch(tmp_path, f"print('x\\n' * {2 * LIMIT})", log_limit=LIMIT))
    assert ended.stdout.stat().st_size < LIMIT + 200
    assert ended.left_out > 2 * LIMIT


def test_one_file_for_both_streams_is_cut_once(tmp_path: Path) -> None:
    log = tmp_path / "both.log"
    script = f"import os; [os.write(1 + n % 2, b'x' * 99 + b'\\n') for n in range({2 * LIMIT // 100})]"
    ended = run(launch(tmp_path, script, stdout=log, stderr=log, log_limit=LIMIT))
    assert log.read_bytes().count(b"[kitty-run left out ") == 1
    assert ended.left_out + log.stat().st_size == pytest.approx(2 * LIMIT, abs=200)


def test_what_an_agent_puts_in_the_place_of_its_log_is_not_touched(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"precious\n" * LIMIT)
    link = f"import os; os.unlink('out.log'); os.symlink({str(theirs)!r}, 'out.log'); "
    run(launch(tmp_path, f"{link}print('x\\n' * {2 * LIMIT})", log_limit=LIMIT))
    assert theirs.read_bytes() == b"precious\n" * LIMIT
