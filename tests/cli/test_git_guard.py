"""Whole runs whose agents plant what git would run: it is never run, put back, and said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.project import Project, make

pytestmark = pytest.mark.whole

PLANT = """
import subprocess
if os.environ["KITTY_WP"] == "WP01":
    command = pathlib.Path(TRACES, "evil.sh")
    command.write_text("#!/bin/sh\\ntouch " + TRACES + "/ran\\ncat\\n")
    command.chmod(0o755)
    pathlib.Path(".gitattributes").write_text("*.txt filter=evil merge=evil\\n")
    for key in ("filter.evil.clean", "filter.evil.smudge", "merge.evil.driver", "core.fsmonitor"):
        subprocess.run(["git", "config", key, str(command)], check=True)
    hooks = pathlib.Path(ROOT, ".git", "hooks")
    hooks.mkdir(exist_ok=True)
    for name in ("pre-commit", "post-checkout", "post-merge", "reference-transaction"):
        (hooks / name).unlink(missing_ok=True)
        (hooks / name).symlink_to(command)
    pathlib.Path(TRACES, "ran").unlink(missing_ok=True)
"""
WAIT = """
pathlib.Path(TRACES, "planted").touch()
import time
time.sleep(120)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make(tmp_path / "repo")


def add_to(project: Project, role: str, code: str) -> Path:
    script = project.profile.with_name("agents") / f"{role}.py"
    traces = project.root.with_name("traces")
    traces.mkdir(exist_ok=True)
    begin = f"\nROOT, TRACES = {str(project.root)!r}, {str(traces)!r}\n"
    script.write_text(script.read_text() + begin + code, encoding="utf-8")
    return traces


def restored(project: Project) -> list[dict[str, Any]]:
    (journal,) = project.root.glob(".kitty-run/runs/*/events.jsonl")
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["type"] == "git.restored"]


def config(project: Project, key: str) -> str:
    done = subprocess.run(
        ["git", "config", key], cwd=project.root, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


@pytest.mark.parametrize("role", ["implement", "review"])
def test_what_an_agent_plants_in_git_is_never_run_and_is_reported(project: Project, role: str) -> None:
    traces = add_to(project, role, PLANT)
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json")
    assert done.status == 0, done.out + done.err
    assert not (traces / "ran").exists()
    assert config(project, "filter.evil.clean") == ""
    assert not list((project.root / ".git" / "hooks").glob("post-merge"))
    assert any("WP01" in marker for marker in restored(project)[0]["during"])
    assert "config: filter.evil.clean was added" in json.loads(done.out)["restored"]
    assert "filter.evil.clean" in project.kitty_run("status").out
    assert "git's settings were changed" in done.err


def test_what_a_killed_runs_agent_planted_is_put_back_by_the_next_run(project: Project) -> None:
    traces = add_to(project, "implement", PLANT + 'if not pathlib.Path(TRACES, "planted").exists():\n')
    script = project.profile.with_name("agents") / "implement.py"
    script.write_text(script.read_text() + "".join(f"    {line}\n" for line in WAIT.split("\n") if line))
    argv = [sys.executable, "-m", "kitty_run", str(project.profile), "--mission", "demo"]
    with subprocess.Popen(argv, cwd=project.root, stderr=subprocess.DEVNULL) as runner:
        while not (traces / "planted").exists():
            assert runner.poll() is None
        os.kill(runner.pid, signal.SIGKILL)
    assert config(project, "filter.evil.clean")
    for command in ("plan", "doctor"):
        looked = project.kitty_run(command, str(project.profile), "--mission", "demo")
        assert looked.status == 2
        assert "filter.evil.clean was added" in looked.out + looked.err
    assert not (traces / "ran").exists()
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json")
    assert done.status == 0, done.out + done.err
    assert not (traces / "ran").exists()
    assert config(project, "filter.evil.clean") == ""
    assert restored(project)[0]["during"] == ["a run that was killed"]


def test_doctor_names_the_users_settings_that_a_host_does_not_follow(project: Project) -> None:
    for key, value in (("merge.ff", "only"), ("commit.gpgsign", "true"), ("diff.external", "meld")):
        subprocess.run(["git", "config", key, value], cwd=project.root, check=True)
    said = project.kitty_run("doctor", str(project.profile)).out
    assert "merge.ff=only, commit.gpgsign=true" in said
    assert "config --unset-all diff.external" in said


def test_settings_with_which_nothing_can_be_committed_are_refused_at_the_start(project: Project) -> None:
    subprocess.run(["git", "config", "core.bare", "true"], cwd=project.root, check=True)
    done = project.kitty_run(str(project.profile), "--mission", "demo")
    assert done.status == 2
    assert "config --unset-all core.bare" in done.err
    for command in ("plan", "doctor"):
        looked = project.kitty_run(command, str(project.profile), "--mission", "demo")
        assert looked.status == 2
        assert "config --unset-all core.bare" in looked.out + looked.err
    assert not list(project.root.glob(".kitty-run/runs/*/events.jsonl"))
