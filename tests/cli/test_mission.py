"""The commands around a run, on a real repository with the simulated host: before, during, after."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from kitty_run.engine.state.events import AttemptProcess, CallEnded, RunResumed
from kitty_run.engine.state.journal import read
from kitty_run.engine.state.run_directory import runs
from kitty_run.errors import ExitStatus
from kitty_run.resources import schema_path

from tests.cli.project import Project, make
from tests.report.test_event_schema import problems


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make(tmp_path / "repo")


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in {"index", "kitty-sim.lock"}
    }


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(schema_path(name).read_text(encoding="utf-8"))
    return loaded


def test_a_plan_changes_nothing(project: Project) -> None:
    before = tree(project.root)
    done = project.kitty_run("plan", str(project.profile), "--mission", "demo")
    assert done.status == ExitStatus.OK, done.err
    assert "WP02     planned      waits on WP01 (planned)" in done.out
    assert tree(project.root) == before


def test_a_plan_without_a_mission_shows_the_profile(project: Project) -> None:
    done = project.kitty_run("plan", str(project.profile))
    assert done.status == ExitStatus.OK
    assert "none given" in done.out
    assert "maker" in done.out


def test_a_plan_takes_settings_and_prints_json(project: Project) -> None:
    words = ("--feature", "demo", "--json", "--set", "/concurrency/work_packages=7")
    done = project.kitty_run("plan", str(project.profile), *words)
    told = json.loads(done.out)
    assert told["concurrency"]["work_packages"] == 7
    assert [one["wave"] for one in told["mission"]["work_packages"]] == [1, 2]


def test_a_plan_of_an_unknown_mission(project: Project) -> None:
    done = project.kitty_run("plan", str(project.profile), "--mission", "demi")
    assert done.status == ExitStatus.USAGE
    assert "did you mean 'demo'?" in done.err


def test_a_plan_without_the_host(project: Project) -> None:
    words = ("--mission", "demo", "--set", "/host/command=[no-such-host]")
    done = project.kitty_run("plan", str(project.profile), *words)
    assert done.status == ExitStatus.HOST
    assert "no-such-host" in done.err


@pytest.mark.whole
def test_a_mission_run_to_its_end_leaves_what_the_schemas_say(project: Project) -> None:
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json")
    assert done.status == ExitStatus.OK, done.err
    report = json.loads(done.out)
    jsonschema.Draft202012Validator(schema("report")).validate(report)
    assert {wp: one["lane"] for wp, one in report["work_packages"].items()} == {
        "WP01": "done",
        "WP02": "done",
    }
    (place,) = runs(project.root)
    lines = [json.loads(line) for line in place.journal.read_text(encoding="utf-8").splitlines()]
    assert [found for line in lines for found in problems(line)] == []
    assert report["calls"] == sum(isinstance(entry.event, CallEnded) for entry in read(place.journal))
    status = json.loads(project.kitty_run("status", "--json").out)
    assert (status["state"], status["exit_status"], status["lock"]) == ("ended", 0, None)
    assert status["merged"] == report["merged"]


@pytest.mark.whole
def test_a_gate_from_waiting_to_answered(after_run: Callable[..., Project]) -> None:
    project = after_run("merge")
    run = (str(project.profile), "--mission", "demo")
    assert "merge waits: `kitty-run approve merge`" in project.kitty_run("status").out
    assert project.kitty_run("approve", "merge").status == ExitStatus.OK
    assert "merge is answered" in project.kitty_run("status").out
    plan = project.kitty_run("plan", *run)
    assert "4 attempts so far" in plan.out
    assert project.kitty_run(*run).status == ExitStatus.OK
    (place,) = runs(project.root)
    assert sum(isinstance(entry.event, RunResumed) for entry in read(place.journal)) == 1
    lines = [json.loads(line) for line in place.journal.read_text(encoding="utf-8").splitlines()]
    assert [found for line in lines for found in problems(line)] == []


HANGING = """\
import sys
print("thinking", flush=True)
sys.stdin.read()
while True:
    sys.stdin.read()
    import time; time.sleep(60)
"""


@pytest.mark.whole
def test_a_run_is_seen_while_it_works_and_when_it_was_killed(tmp_path: Path) -> None:
    project = make(tmp_path / "repo", reviewer=HANGING)
    argv = [sys.executable, "-m", "kitty_run", str(project.profile), "--mission", "demo"]
    with subprocess.Popen(argv, cwd=project.root, stderr=subprocess.PIPE, text=True) as runner:
        assert runner.stderr is not None
        seen = next(line for line in runner.stderr if "checker starts" in line)
        assert "WP01" in seen
        status = json.loads(project.kitty_run("status", "--json").out)
        assert status["state"] == "working"
        assert status["work_packages"]["WP01"]["doing"] == "review 1"
        assert status["lock"]["alive"] is True
        assert project.kitty_run("plan", *argv[3:]).status == ExitStatus.INCOMPLETE
        os.kill(runner.pid, signal.SIGKILL)
    died = project.kitty_run("status", "--watch")
    assert died.status == ExitStatus.OK
    assert "died" in died.out
    assert "the lock is free" in project.kitty_run("status").out
    _end_leftovers(project)


def _end_leftovers(project: Project) -> None:
    (place,) = runs(project.root)
    (last,) = [entry.event for entry in read(place.journal) if isinstance(entry.event, AttemptProcess)][-1:]
    os.killpg(last.pid, signal.SIGKILL)


def test_status_where_nothing_ever_ran(project: Project) -> None:
    done = project.kitty_run("status")
    assert done.status == ExitStatus.USAGE
    assert "no run" in done.err


@pytest.mark.whole
def test_status_of_an_unknown_run(after_run: Callable[..., Project]) -> None:
    project = after_run()
    done = project.kitty_run("status", "yesterday")
    assert done.status == ExitStatus.USAGE
    assert runs(project.root)[0].id in done.err


def test_the_doctor_finds_nothing_in_the_way(project: Project) -> None:
    before = tree(project.root)
    done = project.kitty_run("doctor", str(project.profile), "--mission", "demo")
    assert done.status == ExitStatus.OK, done.out
    assert "WP01 planned, WP02 planned" in done.out
    assert "Nothing is in the way of a run." in done.out
    assert tree(project.root) == before


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ("/host/command=[no-such-host]", ExitStatus.HOST, "no-such-host"),
        ("/host/contract='>=7'", ExitStatus.HOST, "asks for >=7"),
        ("/agents/maker/command=[no-such-agent]", ExitStatus.INCOMPLETE, "`no-such-agent` is not on PATH"),
        ("/roles/review/agents=[nobody]", ExitStatus.USAGE, "nobody"),
        ("/mission=demi", ExitStatus.USAGE, "did you mean 'demo'"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_the_doctor_says_what_is_wrong(change: str, status: ExitStatus, words: str, project: Project) -> None:
    done = project.kitty_run("doctor", str(project.profile), "--set", change)
    assert done.status == status, done.out
    assert words in done.out


def test_the_doctor_in_json_and_without_a_profile(project: Project) -> None:
    told = json.loads(project.kitty_run("doctor", "--json").out)
    subjects = {finding["subject"] for finding in told["findings"]}
    assert {"kitty-run", "git", "repository", "host"} <= subjects


def test_the_doctor_outside_a_repository(tmp_path: Path, project: Project) -> None:
    done = project.kitty_run("doctor", str(project.profile), "--repo", str(tmp_path))
    assert done.status == ExitStatus.USAGE
    assert "not in a git repository" in done.out


@pytest.mark.whole
def test_a_report_is_written_where_it_is_wanted(after_run: Callable[..., Project]) -> None:
    project = after_run()
    done = project.kitty_run("report", "-o", "page.html")
    assert (done.status, done.err) == (ExitStatus.OK, "page.html\n")
    text = (project.root / "page.html").read_text(encoding="utf-8")
    assert "wrote WP02.txt" in text
    assert project.kitty_run("report", "-o", "-").out.startswith("<!doctype html>")
    assert project.kitty_run("report", "-o", "no/such/place.html").status == ExitStatus.USAGE
