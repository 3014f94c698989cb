"""Commands in messages can be pasted, whatever the names in them are made of."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.own_state import claim
from kitty_run.engine.state.private_files import ForeignState, make_private
from kitty_run.errors import ExitStatus
from kitty_run.report.next_steps import for_run
from kitty_run.text.commands import command, git_at

from tests.git_repos import IDENTITY, make_repo
from tests.report.stories import STORIES

STRANGE = 'it\'s; a "dïr" $(x) & co'
QUOTES = {"command", "quote", "shlex.quote"}
BEGINS = re.compile(r"(?:^|[\s`(])(?:git -C|rm|mv|cd|chmod \S+|kitty-run [a-z]+|--repo) $")
"""What stands before a name in a command."""


def test_every_word_reaches_the_program_as_it_is() -> None:
    assert shlex.split(command("mv", Path(STRANGE), f"{STRANGE}.found")) == [
        "mv",
        STRANGE,
        f"{STRANGE}.found",
    ]
    assert shlex.split(f"{git_at(Path(STRANGE))} status") == ["git", "-C", STRANGE, "status"]


def test_a_refused_state_directory_names_commands_that_put_it_right(tmp_path: Path) -> None:
    root = make_repo(tmp_path / STRANGE)
    root.commit(**{".kitty-run/runs/x": "forged"})
    with pytest.raises(ForeignState) as refused:
        asyncio.run(claim(root.path))
    first, second = [line for line in str(refused.value).splitlines() if line.startswith("  ")]
    for line in (first, second):
        subprocess.run(("sh", "-c", line), check=True, env={**os.environ, **IDENTITY})
    assert asyncio.run(claim(root.path)) == ()
    assert (root.path / ".kitty-run.found/runs/x").is_file()


def test_a_link_in_the_state_directory_names_the_command_that_removes_it(tmp_path: Path) -> None:
    home = tmp_path / STRANGE
    home.symlink_to(tmp_path)
    with pytest.raises(ForeignState) as refused:
        make_private(home)
    assert command("rm", home) in str(refused.value)


def test_what_to_look_at_after_a_run_can_be_pasted(tmp_path: Path) -> None:
    report = replace(
        STORIES["smooth"](tmp_path).report, repo=tmp_path / STRANGE, target="a;b", exit_status=ExitStatus.OK
    )
    assert shlex.split(for_run(report)) == ["git", "-C", str(tmp_path / STRANGE), "log", "--oneline", "a;b"]


def test_no_message_has_a_name_in_a_command_unquoted() -> None:
    found = [
        f"{source}:{text.lineno}"
        for source in (Path(__file__).parents[2] / "runner").rglob("*.py")
        for text in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for value in _after_commands(text)
        if not (isinstance(value, ast.Call) and ast.unparse(value.func) in QUOTES)
    ]
    assert not found, "write it with text.commands.command"


def _after_commands(text: ast.JoinedStr) -> Iterator[ast.expr]:
    for before, value in zip(text.values, text.values[1:], strict=False):
        if (
            isinstance(before, ast.Constant)
            and isinstance(value, ast.FormattedValue)
            and BEGINS.search(str(before.value))
        ):
            yield value.value
