"""Limits as a user meets them: at the end of a run, in its status, in the plan, and with a higher one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from kitty_run.cli.terminal_prompt import person
from kitty_run.engine.state.events import GateAnswered
from kitty_run.engine.state.journal import read
from kitty_run.engine.state.run_directory import runs
from kitty_run.errors import ExitStatus
from kitty_run.resources import schema_path

from tests.cli.project import Project, make
from tests.report.test_event_schema import problems


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make(tmp_path / "repo")


@pytest.mark.whole
def test_a_limit_from_reached_to_raised(project: Project) -> None:
    run = (str(project.profile), "--mission", "demo")
    done = project.kitty_run(*run, "--set", "/limits/attempts=2", "--json")
    assert done.status == ExitStatus.PAUSED, done.err
    assert "mission demo: paused" in done.err
    assert done.err.count("limits.attempts: 2 of 2 attempts used\n") >= 1
    assert "spent so far: 2 attempts, cost unknown" in done.err
    assert "left: WP02 (planned)" in done.err
    assert "next      raise limits.attempts, then run the same command again" in done.err
    report = json.loads(done.out)
    schema = json.loads(schema_path("report").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(report)
    assert report["limits"] == [{"limit": "limits.attempts", "wp": None, "used": 2, "allowed": 2}]
    assert (report["cost_usd"], report["known_cost_usd"], report["unknown_costs"]) == (None, 0, 2)

    status = project.kitty_run("status").out
    assert "paused (exit status 4)" in status
    assert "raise limits.attempts, then `kitty-run" in status
    assert json.loads(project.kitty_run("status", "--json").out)["limits"] == ["limits.attempts"]

    plan = project.kitty_run("plan", *run, "--set", "/limits/attempts=2")
    assert plan.status == ExitStatus.INCOMPLETE
    assert "the run is at limits.attempts: 2 of 2 attempts used; raise it to continue" in plan.out

    again = project.kitty_run(*run, "--set", "/limits/attempts=2", "--json")
    assert (again.status, json.loads(again.out)["attempts"]) == (ExitStatus.PAUSED, 2)
    raised = project.kitty_run(*run, "--set", "/limits/attempts=4", "--json")
    assert (raised.status, json.loads(raised.out)["attempts"]) == (ExitStatus.OK, 4), raised.err
    (place,) = runs(project.root)
    lines = [json.loads(line) for line in place.journal.read_text(encoding="utf-8").splitlines()]
    assert [found for line in lines for found in problems(line)] == []


@pytest.mark.whole
def test_a_work_packages_own_limit_is_named_with_it(project: Project) -> None:
    words = ("--mission", "demo", "--set", "/limits/work_package/attempts=1")
    done = project.kitty_run(str(project.profile), *words)
    assert done.status == ExitStatus.PAUSED
    assert "WP01: limits.work_package.attempts: 1 of 1 attempts used" in done.err
    assert "left: WP01 (for_review), WP02 (planned)" in done.err
    assert "raise limits.work_package.attempts, then run the same command again" in done.err


@pytest.mark.whole
def test_what_a_limit_does_not_see_is_said_before_and_at_the_start(project: Project) -> None:
    said = "limits.cost_usd does not see what maker, checker used"
    words = (str(project.profile), "--mission", "demo", "--set", "/limits/cost_usd=1")
    plan = project.kitty_run("plan", *words)
    assert plan.status == ExitStatus.OK
    assert said in plan.out
    assert json.loads(project.kitty_run("plan", *words, "--json").out)["unseen"] == [
        {"limit": "limits.cost_usd", "agents": ["maker", "checker"]}
    ]
    doctor = project.kitty_run("doctor", *words)
    assert doctor.status == ExitStatus.OK
    assert "/limits/cost_usd: warning: does not see what maker, checker used" in " ".join(doctor.out.split())
    done = project.kitty_run(*words)
    assert done.status == ExitStatus.OK
    assert f"note: {said}" in done.err
    assert "cost unknown" in done.err
    assert "cost 0" not in done.err


@pytest.mark.whole
def test_an_answer_names_the_person_and_keeps_the_note(after_run: Callable[..., Project]) -> None:
    project = after_run("merge")
    run = (str(project.profile), "--mission", "demo")
    assert project.kitty_run("reject", "merge", "--note", "not before monday").status == ExitStatus.OK
    done = project.kitty_run(*run)
    assert done.status == ExitStatus.INCOMPLETE
    assert f"the gate `merge` was rejected by {person()}: not before monday" in done.err
    assert project.kitty_run(*run).status == ExitStatus.PAUSED
    (place,) = runs(project.root)
    (answered,) = [entry.event for entry in read(place.journal) if isinstance(entry.event, GateAnswered)]
    assert (answered.by, answered.note) == (person(), "not before monday")
    assert (answered.approved, answered.history) == (False, "WP01")


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4242")

    monkeypatch.setattr("kitty_run.cli.terminal_prompt.getpass.getuser", nameless)
    monkeypatch.setattr("kitty_run.cli.terminal_prompt.os.getuid", lambda: 4242)
    assert person() == "uid 4242"
