"""A run whose output nobody reads any more, and one whose streams are closed, run to their end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.project import Project, make

pytestmark = pytest.mark.whole


def last_lines(root: Path) -> list[dict[str, Any]]:
    (journal,) = (root / ".kitty-run" / "runs").glob("*/events.jsonl")
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]


def test_a_reader_that_leaves_after_two_lines_ends_nothing(tmp_path: Path) -> None:
    project = make(tmp_path / "project")
    argv = [sys.executable, "-m", "kitty_run", str(project.profile), "--mission", "demo", "--verbose"]
    with subprocess.Popen(
        argv, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline()
        process.stdout.close()
        assert process.wait() == 0
    events = last_lines(project.root)
    assert (events[-1]["type"], events[-1]["exit_status"]) == ("run.ended", 0)
    notices = [event["text"] for event in events if event["type"] == "notice"]
    assert [text for text in notices if "BrokenPipeError" in text] == notices


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_end_nothing(tmp_path: Path, closed: str) -> None:
    project = make(tmp_path / "project")
    command = f'exec "$0" -m kitty_run "$1" --mission demo {closed}'
    argv = ["sh", "-c", command, sys.executable, str(project.profile)]
    done = subprocess.run(argv, cwd=project.root, env={**os.environ, "NO_COLOR": "1"}, check=False)
    events = last_lines(project.root)
    assert (events[-1]["type"], events[-1]["exit_status"], done.returncode) == ("run.ended", 0, 0)


def test_a_damaged_line_of_the_journal_is_named_and_the_run_continues(
    after_run: Callable[..., Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = after_run("merge")
    (journal,) = (project.root / ".kitty-run" / "runs").glob("*/events.jsonl")
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(at for at, line in enumerate(lines) if '"attempt.ended"' in line)
    broken = json.loads(lines[number])
    del broken["role"]
    lines[number] = json.dumps(broken) + "\n"
    journal.write_text("".join(lines), encoding="utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # where nothing is known of the journal
    for command in (("status",), ("report", "-o", str(tmp_path / "page.html"))):
        assert f"{journal}:{number + 1}: this line is no event" in project.kitty_run(*command).err
    assert project.kitty_run("approve", "merge").status == 0
    done = project.kitty_run(str(project.profile), "--mission", "demo")
    assert done.status == 0, done.err
    assert f"{journal}:{number + 1}: this line is no event" in done.err
    assert project.kitty_run("status").status == 0
