"""What is read from files that a CLI keeps of a conversation."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.agents.model import ModelUsage
from kitty_run.agents.results.output import Extract
from kitty_run.agents.results.session_files import with_session_files
from kitty_run.profile.output import Output, SessionFile

FILE = SessionFile(
    "jsonl",
    directory=".coder",
    variable="CODER_HOME",
    files="sessions/*/{{ session }}.jsonl",
    model="/model",
    input_tokens=("/in",),
    output_tokens=("/out",),
)
OUTPUT = Output("jsonl", session_files=(FILE,))
FOUND = Extract("Done.", "s-1")
TOKENS = ModelUsage(None, 10, None, 2)


def keep(home: Path, name: str = "sessions/a/s-1.jsonl", model: str = "gpt-5", read: int = 7) -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"model": model, "in": read, "out": 1}) + "\n", encoding="utf-8")
    return path


def test_tokens_and_model_are_found_by_the_sessions_id(tmp_path: Path) -> None:
    keep(tmp_path / ".coder")
    keep(tmp_path / ".coder", "sessions/a/s-2.jsonl", "other")
    found = with_session_files(OUTPUT, FOUND, {"HOME": str(tmp_path)})
    assert found == replace(FOUND, models=(ModelUsage("gpt-5", 7, None, 1),))


def test_the_output_s_own_tokens_win_and_get_the_model(tmp_path: Path) -> None:
    keep(tmp_path / ".coder")
    found = with_session_files(OUTPUT, replace(FOUND, models=(TOKENS,)), {"HOME": str(tmp_path)})
    assert found.models == (replace(TOKENS, model="gpt-5"),)


def test_a_variable_of_the_agent_names_another_directory(tmp_path: Path) -> None:
    keep(tmp_path / ".coder", read=1)
    keep(tmp_path / "elsewhere", read=2)
    environment = {"HOME": str(tmp_path), "CODER_HOME": str(tmp_path / "elsewhere")}
    assert with_session_files(OUTPUT, FOUND, environment).models == (ModelUsage("gpt-5", 2, None, 1),)


def test_the_file_that_was_written_last_counts(tmp_path: Path) -> None:
    os.utime(keep(tmp_path / ".coder", "sessions/z/s-1.jsonl", read=1), (1, 1))
    keep(tmp_path / ".coder", read=2)
    found = with_session_files(OUTPUT, FOUND, {"HOME": str(tmp_path)})
    assert found.models == (ModelUsage("gpt-5", 2, None, 1),)


def test_one_file_may_have_the_tokens_and_another_the_model(tmp_path: Path) -> None:
    keep(tmp_path / ".coder", "tokens.jsonl")
    keep(tmp_path / ".coder", "model.jsonl", "gpt-6")
    tokens = replace(FILE, files="tokens.jsonl", model=None)
    model = replace(FILE, files="model.jsonl", input_tokens=(), output_tokens=())
    found = with_session_files(replace(OUTPUT, session_files=(tokens, model)), FOUND, {"HOME": str(tmp_path)})
    assert found.models == (ModelUsage("gpt-6", 7, None, 1),)


@pytest.mark.parametrize("session", [None, "../../secret", "a/b", "*", "s-2"])
def test_other_sessions_and_ways_out_of_the_directory_find_nothing(
    tmp_path: Path, session: str | None
) -> None:
    keep(tmp_path / ".coder")
    keep(tmp_path, "secret.jsonl")
    found = replace(FOUND, session=session)
    assert with_session_files(OUTPUT, found, {"HOME": str(tmp_path)}) == found


def test_links_pipes_and_nothing_are_passed_over(tmp_path: Path) -> None:
    assert with_session_files(OUTPUT, FOUND, {}) == FOUND
    assert with_session_files(OUTPUT, FOUND, {"HOME": str(tmp_path)}) == FOUND
    folder = tmp_path / ".coder/sessions/a"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "s-1.jsonl")
    assert with_session_files(OUTPUT, FOUND, {"HOME": str(tmp_path)}) == FOUND
    (folder / "s-1.jsonl").unlink()
    (folder / "s-1.jsonl").symlink_to(keep(tmp_path, "secret.jsonl"))
    assert with_session_files(OUTPUT, FOUND, {"HOME": str(tmp_path)}) == FOUND
