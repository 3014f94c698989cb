"""Every example in the documentation is run, or checked against what it speaks of."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from kitty_run.cli.main import COMMANDS
from kitty_run.demo.spec import MissionSpec, WorkPackageSpec
from kitty_run.errors import ExitStatus

from tests.docs.documents import DOCUMENTS, Block, blocks, commands
from tests.hosts import CHECKOUT, FEATURE_HOST, RealHost

PROFILES = [block for block in blocks("yaml") if "\nversion:" in f"\n{block.text}"]
FRAGMENTS = [block for block in blocks("yaml") if block not in PROFILES and not block.text.startswith("---")]
SHELL = [(str(block), command) for block in blocks("sh") for command in commands(block)]
INSTALLING = {"pipx install ."}
"""Proven by tests/packaging instead."""
USED = [command for where, command in SHELL if command.startswith(("kitty-run ", "git "))]

CLAUDE = """\
import json, os, pathlib, sys
sys.stdin.read()
pathlib.Path(os.environ["KITTY_WP"] + ".txt").write_text("done")
usage = {"input_tokens": 1, "output_tokens": 1}
print(json.dumps({"type": "result", "is_error": False, "result": "done", "session_id": "s", \
"total_cost_usd": 0.01, "usage": usage}, separators=(",", ":")))
"""
CODEX = """\
import json, os, sys
sys.stdin.read()
code = os.environ["KITTY_VERDICT_CODE"]
verdict = "```json\\n" + json.dumps({"code": code, "verdict": "approved", "summary": "As asked."}) + "\\n```"
usage = {"input_tokens": 1, "output_tokens": 1}
for line in (
    {"type": "thread.started", "thread_id": "t"},
    {"type": "item.completed", "item": {"id": "item_0", "type": "agent_message", "text": verdict}},
    {"type": "turn.completed", "usage": usage},
):
    print(json.dumps(line, separators=(",", ":")))
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A project with the README's profile, where its commands are typed, one after the other."""

    root: Path
    mission: str
    env: dict[str, str]

    def type(self, command: str) -> tuple[int, str]:
        words = shlex.split(command.replace("SLUG", self.mission))
        if words[0] == "kitty-run":
            words[:1] = [sys.executable, "-m", "kitty_run"]
        done = subprocess.run(words, cwd=self.root, env=self.env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def desk(real_host: Callable[[str], RealHost], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The host is real, the README's agents are stand-ins that keep to the real ones' output."""
    folder = tmp_path_factory.mktemp("desk")
    host = real_host(FEATURE_HOST)
    files = {"Makefile": "test:\n\t@true\n", "kitty-run.yaml": PROFILES[0].text}
    packages = (WorkPackageSpec("WP01", "First"), WorkPackageSpec("WP02", "Second", ("WP01",)))
    project = host.project(MissionSpec("034-payment", packages, None, files=files), folder / "project")
    for name, code in (("claude", CLAUDE), ("codex", CODEX)):
        program = folder / name
        program.write_text(f"#!{sys.executable}\n{code}", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = os.pathsep.join([str(folder), host.env["PATH"]])
    return Desk(project.root, project.mission, {**host.env, "PATH": path})


@pytest.mark.real_host
def test_the_commands_do_what_the_documents_say(desk: Desk) -> None:
    ends = {command: desk.type(command) for command in USED if not command.startswith("kitty-run approve")}
    run = "kitty-run kitty-run.yaml --mission SLUG"
    status, said = ends.pop(run)
    assert (status, "approve merge" in said) == (ExitStatus.PAUSED, True), said
    assert desk.type("kitty-run approve merge")[0] == 0
    assert desk.type(run)[0] == 0
    assert sorted(path.name for path in desk.root.glob("WP*.txt")) == ["WP01.txt", "WP02.txt"]
    assert {command: end for command, end in ends.items() if end[0] != 0} == {}


@pytest.mark.parametrize("block", PROFILES, ids=str)
def test_profiles_are_valid(block: Block, tmp_path: Path) -> None:
    (tmp_path / "kitty-run.yaml").write_text(block.text, encoding="utf-8")
    argv = [sys.executable, "-m", "kitty_run", "validate", "kitty-run.yaml"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", FRAGMENTS, ids=str)
def test_fragments_of_profiles_are_valid_on_top_of_a_profile(block: Block, tmp_path: Path) -> None:
    base = CHECKOUT / "sample-configs/claude.yaml"
    (tmp_path / "mine.yaml").write_text(f"version: 1\nextends: [{base}]\n{block.text}", encoding="utf-8")
    argv = [sys.executable, "-m", "kitty_run", "validate", "mine.yaml"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.heavy
@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_examples_run(block: Block, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", block.text]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("where", "command"), SHELL)
def test_other_commands_are_known(where: str, command: str) -> None:
    if command.startswith("make "):
        argv = ["make", "--dry-run", *command.split()[1:]]
        assert subprocess.run(argv, cwd=CHECKOUT, capture_output=True, check=False).returncode == 0
    else:
        assert command in {*USED, *INSTALLING}, f"{where}: nothing runs this example"


def test_the_readmes_profile_has_ten_lines() -> None:
    assert len(PROFILES[0].text.splitlines()) == 10


def test_every_command_is_documented() -> None:
    text = (CHECKOUT / "docs/cli.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `kitty-run ([\w-]+)", text, re.MULTILINE)) == set(COMMANDS)


def test_every_exit_status_is_documented() -> None:
    text = (CHECKOUT / "docs/cli.md").read_text(encoding="utf-8")
    assert [int(n) for n in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == sorted(map(int, ExitStatus))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith("https://")]
    assert [link for link in local if not (path.parent / link).exists()] == []
