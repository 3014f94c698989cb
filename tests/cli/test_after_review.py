"""What was reviewed is what is merged: commits that land on a branch after its review, with real git."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.project import Project, make

pytestmark = pytest.mark.whole

SNEAK = """
import subprocess

def sneak(wp):
    (place,) = [path for path in pathlib.Path(ROOT, ".worktrees").iterdir() if path.name.lower().endswith(wp)]
    (place / "backdoor.py").write_text("evil")
    git = ["git", "-C", str(place), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "sneaked in"], check=True)
"""


def git(project: Project, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=project.root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def run(project: Project) -> tuple[int, str]:
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json")
    return done.status, done.out + done.err


def add_to(project: Project, role: str, code: str) -> None:
    script = project.profile.with_name("agents") / f"{role}.py"
    text = f"{script.read_text()}\nROOT = {str(project.root)!r}\n{SNEAK}\n{code}"
    script.write_text(text, encoding="utf-8")


def events(project: Project, type_: str) -> list[dict[str, Any]]:
    (journal,) = project.root.glob(".kitty-run/runs/*/events.jsonl")
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["type"] == type_]


def on_target(project: Project) -> list[str]:
    return git(project, "ls-tree", "-r", "--name-only", "main").splitlines()


def commit_in(project: Project, wp: str) -> None:
    (place,) = [path for path in (project.root / ".worktrees").iterdir() if path.name.lower().endswith(wp)]
    (place / "backdoor.py").write_text("evil", encoding="utf-8")
    for words in (("add", "--all"), ("commit", "-q", "-m", "sneaked in")):
        subprocess.run(["git", *words], cwd=place, check=True, capture_output=True)


def assert_put_back(project: Project, wp: str) -> None:
    assert "backdoor.py" not in on_target(project)
    (told,) = events(project, "branch.put_back")
    assert told["wp"] == wp
    assert "sneaked in (backdoor.py)" in told["foreign"][0]
    assert "backdoor.py" in git(project, "ls-tree", "--name-only", told["kept"])


def test_what_another_work_packages_agent_commits_on_an_approved_branch_is_not_merged(tmp_path: Path) -> None:
    project = make(tmp_path / "repo")
    add_to(project, "implement", 'if os.environ["KITTY_WP"] == "WP02":\n    sneak("wp01")\n')
    status, text = run(project)
    assert status == 0, text
    assert {"WP01.txt", "WP02.txt"} <= set(on_target(project))
    assert_put_back(project, "WP01")


def test_what_lands_while_the_gate_before_the_merge_waits_is_not_merged(
    after_run: Callable[..., Project],
) -> None:
    project = after_run("merge")
    commit_in(project, "wp02")
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 0, text
    assert_put_back(project, "WP02")


def test_what_lands_while_the_gate_before_done_waits_is_reviewed_and_asked_about_anew(
    after_run: Callable[..., Project],
) -> None:
    project = after_run("done")
    commit_in(project, "wp01")
    assert project.kitty_run("approve", "done-WP01").status == 0
    status, text = run(project)
    assert status == 4, text
    verdicts = [event["commit"] for event in events(project, "verdict.given")]
    assert len(set(verdicts)) == 2
    assert len(events(project, "gate.waiting")) >= 2


def test_a_reviewed_commit_that_was_rewritten_is_put_back(
    after_run: Callable[..., Project],
) -> None:
    project = after_run("merge")
    (place,) = [
        path for path in (project.root / ".worktrees").iterdir() if path.name.lower().endswith("wp01")
    ]
    (place / "backdoor.py").write_text("evil", encoding="utf-8")
    for words in (("add", "--all"), ("commit", "-q", "--amend", "-m", "sneaked in")):
        subprocess.run(["git", *words], cwd=place, check=True, capture_output=True)
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 0, text
    assert "backdoor.py" not in on_target(project)
    assert len(events(project, "branch.put_back")) == 1


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_mission_without_work_packages_is_refused_before_anything_is_called(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    project = make(tmp_path / "repo")
    for task in (project.root / "kitty-specs" / "demo" / "tasks").iterdir():
        task.unlink()
    git(project, "commit", "-q", "-a", "-m", "no tasks")
    before = git(project, "rev-parse", "HEAD")
    done = project.kitty_run(str(project.profile), "--mission", "demo", *words)
    assert done.status == 2, done.out + done.err
    assert "has no work packages" in done.err
    assert "plan" in done.err
    assert git(project, "rev-parse", "HEAD") == before
    assert git(project, "status", "--porcelain", "--untracked-files=no") == ""
