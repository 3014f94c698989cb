"""`kitty-run demo` on real hosts: from nothing to merged, working code, with one real rework."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.documents import shape, shown_output
from tests.hosts import FEATURE_HOST, MISSION_HOST, RealHost

Install = Callable[[str], RealHost]
IN_README = (MISSION_HOST, None)
"""The host and topology of the demo that the README shows."""


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that was run: where it was kept, its exit status, and what it said."""

    directory: Path
    status: int
    text: str

    @property
    def project(self) -> Path:
        return self.directory / "project"

    def output(self, *argv: str) -> str:
        done = subprocess.run(argv, cwd=self.project, capture_output=True, text=True, check=True)
        return done.stdout

    def events(self, kind: str) -> list[dict[str, object]]:
        """The journal's events of one type."""
        (journal,) = self.project.glob(".kitty-run/runs/*/events.jsonl")
        events = map(json.loads, journal.read_text(encoding="utf-8").splitlines())
        return [event for event in events if event["type"] == kind]


def play(directory: Path, *options: str) -> Played:
    argv = [sys.executable, "-m", "kitty_run", "demo", "--keep", str(directory), *options]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(argv, cwd=directory.parent, env=env, capture_output=True, text=True, check=False)
    return Played(directory, done.returncode, done.stdout + done.stderr)


@pytest.mark.real_host
@pytest.mark.parametrize(
    ("version", "topology"),
    [
        (MISSION_HOST, None),
        pytest.param(MISSION_HOST, "coord", marks=pytest.mark.slow),
        pytest.param(MISSION_HOST, "lanes", marks=pytest.mark.slow),
        pytest.param(MISSION_HOST, "single_branch", marks=pytest.mark.slow),
        pytest.param(MISSION_HOST, "legacy", marks=pytest.mark.slow),
        pytest.param(FEATURE_HOST, None, marks=pytest.mark.slow),
    ],
)
def test_the_demo_ends_with_merged_and_working_code(
    real_host: Install, tmp_path: Path, version: str, topology: str | None
) -> None:
    chosen = ("--topology", topology) if topology else ()
    played = play(tmp_path / "demo", "--host", str(real_host(version).script), *chosen)
    assert played.status == 0, played.text
    assert [(e["wp"], e["cycle"]) for e in played.events("rework.started")] == [("WP02", 2)]
    (merge,) = played.events("merge.verified")
    assert merge["commit"] == played.output("git", "rev-parse", "feature/text-tools").strip()
    assert "`most_common(\"to be or not to be\", 1)` must give `[('be', 2)]`" in played.text
    assert played.output("git", "branch", "--show-current").strip() == "feature/text-tools"
    assert "README.md: 11 words" in played.output(sys.executable, "-m", "texttools", "README.md")
    tests = subprocess.run(
        [sys.executable, "-m", "unittest"], cwd=played.project, capture_output=True, text=True, check=False
    )
    assert (tests.returncode, "Ran 10 tests" in tests.stderr) == (0, True)
    assert played.output("git", "status", "--porcelain", ":!kitty-specs") == ""
    (command,) = re.findall(r"^  cd (\S+) && ", played.text, re.MULTILINE)
    assert Path(command) == played.project
    if (version, topology) == IN_README:
        assert_shown_in_readme(played)


def assert_shown_in_readme(played: Played) -> None:
    said = {shape(line) for line in played.text.splitlines()}
    assert [line for line in shown_output() if shape(line) not in said] == []


def test_a_directory_in_use_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mine.txt").touch()
    played = play(tmp_path / "demo", "--hosts", str(tmp_path / "hosts"))
    assert (played.status, "is not an empty directory" in played.text) == (2, True)
    assert not (tmp_path / "hosts").exists()


def test_a_host_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    played = play(tmp_path / "demo", "--host", "no-such-spec-kitty")
    assert (played.status, "'no-such-spec-kitty' was not found" in played.text) == (3, True)
