"""The scripted agents: the reviewer really looks, so what it says depends on the code alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from kitty_run.demo.agents.implementer import DRAFTS
from kitty_run.demo.stage import read_script

pytestmark = pytest.mark.heavy

TASKS = {wp.id: wp.body for wp in read_script().spec.work_packages}


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    stdout: str
    stderr: str


def play(role: str, workspace: Path, prompt: str, **env: str) -> Ended:
    argv = [sys.executable, "-m", "kitty_run", "demo", "--play", role]
    full = {**os.environ, **env}
    done = subprocess.run(
        argv, cwd=workspace, env=full, input=prompt, capture_output=True, text=True, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A project with WP01 done."""
    shutil.copytree(DRAFTS / "WP01" / "1", tmp_path / "project")
    (tmp_path / "project/tests/__init__.py").touch()
    return tmp_path / "project"


def review(workspace: Path, wp: str) -> tuple[str, str]:
    """The reviewer's decision, and the messages of its findings."""
    verdict_file = workspace.parent / "verdict.json"
    prompt = f"# The task that was given\n\n{TASKS[wp]}\n# What was changed\n\n+>>> 1\n+2\n"
    ended = play(
        "reviewer", workspace, prompt, KITTY_VERDICT_FILE=str(verdict_file), KITTY_VERDICT_CODE="c0de"
    )
    assert ended.status == 0, ended.stderr
    verdict = json.loads(verdict_file.read_text(encoding="utf-8"))
    return verdict["verdict"], "\n".join(finding["message"] for finding in verdict["findings"])


def implement(workspace: Path, wp: str, cycle: int) -> Ended:
    prompt = f"# The task\n\n{TASKS[wp]}"
    return play("implementer", workspace, prompt, KITTY_WP=wp, KITTY_CYCLE=str(cycle))


def test_the_first_draft_is_rejected_for_its_bug_and_the_second_approved(workspace: Path) -> None:
    assert implement(workspace, "WP02", 1).status == 0
    decision, findings = review(workspace, "WP02")
    assert decision == "changes_requested"
    assert "must give `[('be', 2)]`, but gives `[('to', 2)]`" in findings
    assert implement(workspace, "WP02", 2).status == 0
    assert review(workspace, "WP02") == ("approved", "")


def test_failing_tests_are_a_finding_with_their_output(workspace: Path) -> None:
    code = workspace / "texttools/words.py"
    code.write_text(code.read_text().replace("text.lower()", "text"))
    decision, findings = review(workspace, "WP01")
    assert decision == "changes_requested"
    assert "FAILED (failures=2)" in findings


def test_a_project_without_tests_is_not_approved(workspace: Path) -> None:
    (workspace / "tests/test_words.py").unlink()
    assert review(workspace, "WP01")[0] == "changes_requested"


def test_code_that_cannot_be_imported_is_a_finding(workspace: Path) -> None:
    assert "No module named 'texttools.reading'" in review(workspace, "WP03")[1]


def test_the_implementer_reports_its_subtasks_and_its_cost(workspace: Path) -> None:
    ended = implement(workspace, "WP03", 1)
    said = json.loads(ended.stdout)
    assert said["cost_usd"] == 0
    assert said["result"].splitlines()[-2:] == ["T005: done", "T006: done"]


def test_the_implementer_fails_when_its_tests_do(workspace: Path) -> None:
    (workspace / "tests/test_broken.py").write_text("import no_such_module\n")
    ended = implement(workspace, "WP03", 1)
    assert (ended.status, "no_such_module" in ended.stderr) == (1, True)


def test_neither_agent_leaves_anything_behind_but_its_work(workspace: Path) -> None:
    before = {path for path in workspace.rglob("*") if path.is_file()}
    implement(workspace, "WP03", 1)
    review(workspace, "WP03")
    new = {str(path.relative_to(workspace)) for path in workspace.rglob("*") if path.is_file()} - {
        str(path.relative_to(workspace)) for path in before
    }
    assert new == {"texttools/reading.py", "tests/test_reading.py"}


def test_an_unknown_work_package_is_refused(workspace: Path) -> None:
    ended = play("implementer", workspace, "", KITTY_WP="WP99", KITTY_CYCLE="1")
    assert (ended.status, "no draft for WP99" in ended.stderr) == (1, True)
