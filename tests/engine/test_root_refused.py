"""A root checkout that isn't as the host needs it is refused before anything is paid, and shown by `plan`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.engine.state.run_directory import runs
from kitty_run.errors import ExitStatus

from tests.cli.project import Project, make

pytestmark = pytest.mark.whole


def git(project: Project, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=project.root, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = make(tmp_path / "repo", dependencies={"WP01": ()})
    meta = {"topology": "lanes", "target_branch": "main"}
    (made.root / "kitty-specs" / "demo" / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    allowed = "protection: {protected_branches: []}\n"
    (made.root / ".kittify" / "config.yaml").write_text(allowed, encoding="utf-8")
    (made.root / "own.txt").write_text("own\n", encoding="utf-8")
    git(made, "add", "-A")
    git(made, "commit", "-q", "-m", "lanes")
    return made


def change(project: Project) -> None:
    (project.root / "own.txt").write_text("changed\n", encoding="utf-8")


def protect(project: Project) -> None:
    (project.root / ".kittify" / "config.yaml").write_text("agents: {}\n", encoding="utf-8")
    git(project, "commit", "-q", "-a", "-m", "protect")


def stage(project: Project) -> None:
    change(project)
    git(project, "add", "own.txt")


def part(project: Project) -> None:
    """Two branches that change one file, the other one checked out."""
    for branch in ("main", "theirs"):
        if branch == "theirs":
            git(project, "switch", "-q", "-c", branch, "main~1")
        (project.root / "own.txt").write_text(f"{branch}\n", encoding="utf-8")
        git(project, "commit", "-q", "-a", "-m", branch)
    git(project, "switch", "-q", "main")


def begin(project: Project, *words: str) -> None:
    """What git leaves under way, since it meets with a conflict."""
    part(project)
    subprocess.run(["git", *words], cwd=project.root, capture_output=True, check=False)


def bisect(project: Project) -> None:
    part(project)
    git(project, "bisect", "start", "main", "main~1")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda project: begin(project, "merge", "theirs"), ["merge --continue", "merge --abort"]),
        (lambda project: begin(project, "cherry-pick", "theirs"), ["cherry-pick --abort"]),
        (lambda project: begin(project, "revert", "theirs"), ["revert --abort"]),
        (lambda project: begin(project, "rebase", "theirs"), ["rebase --continue", "rebase --abort"]),
        (bisect, ["bisect reset"]),
        (change, ["own.txt", "stash push"]),
        (stage, ["own.txt", "stash push"]),
        (lambda project: git(project, "switch", "-q", "-c", "theirs"), ["theirs", "switch main"]),
        (lambda project: git(project, "switch", "-q", "--detach"), ["detached", "switch main"]),
        (protect, ["protects", "protected_branches"]),
    ],
    ids=[
        *("merge", "cherry-pick", "revert", "rebase", "bisect"),
        *("changed", "staged", "branch", "detached", "protected"),
    ],
)
def test_it_is_refused_before_anything_is_started(
    project: Project, spoil: Callable[[Project], object], words: list[str]
) -> None:
    spoil(project)
    before = git(project, "status", "--porcelain"), git(project, "for-each-ref")
    done = project.kitty_run(str(project.profile), "--mission", "demo")
    assert done.status == ExitStatus.USAGE, done.err
    assert all(word in done.err for word in words), done.err
    assert runs(project.root) == []
    assert (git(project, "status", "--porcelain"), git(project, "for-each-ref")) == before
    plan = project.kitty_run("plan", str(project.profile), "--mission", "demo")
    assert plan.status == ExitStatus.INCOMPLETE
    assert all(word in " ".join(plan.out.split()) for word in words), plan.out


def test_a_run_that_is_continued_waits_for_it_as_paused(project: Project) -> None:
    words = (str(project.profile), "--mission", "demo", "--set", "/limits/attempts=1")
    assert project.kitty_run(*words).status == ExitStatus.PAUSED
    change(project)
    done = project.kitty_run(*words[:3])
    assert done.status == ExitStatus.PAUSED, done.err
    assert "own.txt" in done.err
    git(project, "checkout", "-q", "own.txt")
    done = project.kitty_run(*words[:3])
    assert done.status == ExitStatus.OK, done.err


def test_what_does_no_harm_is_not_refused(project: Project) -> None:
    (project.root / "notes.txt").write_text("untracked\n", encoding="utf-8")
    done = project.kitty_run(str(project.profile), "--mission", "demo")
    assert done.status == ExitStatus.OK, done.err
    assert (project.root / "notes.txt").read_text(encoding="utf-8") == "untracked\n"


def test_a_mission_that_is_at_its_end_is_not_refused_for_what_came_after_it(project: Project) -> None:
    words = (str(project.profile), "--mission", "demo")
    assert project.kitty_run(*words).status == ExitStatus.OK
    change(project)
    done = project.kitty_run("plan", *words)
    assert "own.txt" not in done.out
    done = project.kitty_run(*words, "--set", "/retry/host/ROOT_DIRTY/attempts=1")
    assert "Nothing was started" not in done.err
    assert "implement" not in done.err
    assert len(runs(project.root)) <= 2
    assert (project.root / "own.txt").read_text(encoding="utf-8") == "changed\n"


def test_a_branch_without_the_mission_is_named(project: Project) -> None:
    git(project, "switch", "-q", "--orphan", "empty")
    done = project.kitty_run(str(project.profile), "--mission", "demo")
    assert done.status == ExitStatus.USAGE
    assert "the branch that is checked out there is empty" in " ".join(done.err.split())


def test_without_a_merge_changes_are_nobodys_trouble(project: Project) -> None:
    change(project)
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--set", "/finish/merge=false")
    assert done.status == ExitStatus.OK, done.err
