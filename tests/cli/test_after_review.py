"""What was reviewed is what is merged: commits that land on a branch after its review, with real git."""

from __future__ import annotations

import json
import re
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


def lines(project: Project) -> list[dict[str, Any]]:
    (journal,) = project.root.glob(".kitty-run/runs/*/events.jsonl")
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]


def events(project: Project, type_: str) -> list[dict[str, Any]]:
    return [line for line in lines(project) if line["type"] == type_]


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


def place_of(project: Project, wp: str) -> Path:
    (place,) = [path for path in (project.root / ".worktrees").iterdir() if path.name.lower().endswith(wp)]
    return place


def inside(project: Project, wp: str, *commands: str) -> None:
    """Run `commands` of a shell in the workspace of `wp`; `$BRANCH` is its branch."""
    script = "set -e; BRANCH=$(git symbolic-ref --short HEAD); " + "; ".join(commands)
    subprocess.run(["sh", "-c", script], cwd=place_of(project, wp), check=True, capture_output=True)


SIDE = (
    "git checkout -q -b side HEAD~1",
    "echo evil > backdoor.py",
    "git add backdoor.py",
    "git commit -q -m 'sneaked in'",
    "git checkout -q $BRANCH",
)
MOVES = {
    "amended": ("echo evil > backdoor.py", "git add -A", "git commit -q --amend -m 'sneaked in'"),
    "amended, with the same tree": ("git commit -q --amend -m 'sneaked in'",),
    "reset to what was before": ("git reset -q --hard HEAD~1",),
    "merged with a branch that nobody reviewed": (*SIDE, "git merge -q --no-edit side"),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_reviewed_branch_that_was(after_run: Callable[..., Project], name: str) -> None:
    """Is put back, and merged as it was reviewed."""
    project = after_run("merge")
    reviewed = git(project, "rev-parse", "refs/kitty-run/demo/WP01")
    inside(project, "wp01", *MOVES[name])
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 0, text
    assert {"WP01.txt", "WP02.txt"} <= set(on_target(project))
    assert "backdoor.py" not in on_target(project)
    (told,) = events(project, "branch.put_back")
    assert (told["wp"], told["commit"]) == ("WP01", reviewed)
    assert git(project, "merge-base", "--is-ancestor", reviewed, "main") == ""


HISTORIES = {
    "replaced": "git replace $BRANCH side",
    "grafted": "git rev-parse $BRANCH side | paste -sd ' ' > $(git rev-parse --git-common-dir)/info/grafts",
}


@pytest.mark.parametrize("name", HISTORIES)
def test_what_replaces_a_reviewed_commit_in_git_changes_nothing_of_what_is_merged(
    after_run: Callable[..., Project], name: str
) -> None:
    project = after_run("merge")
    inside(project, "wp01", *SIDE, HISTORIES[name])
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 0, text
    told = git(project, "--no-replace-objects", "ls-tree", "--name-only", "main").splitlines()
    assert {"WP01.txt", "WP02.txt"} <= set(told)
    assert "backdoor.py" not in told
    assert events(project, "branch.put_back") == []


@pytest.mark.parametrize("last", [False, True])
def test_a_reviewed_branch_that_was_deleted_is_made_again(
    after_run: Callable[..., Project], last: bool
) -> None:
    project = after_run("merge")
    for wp in ("wp01", "wp02") if last else ("wp01",):
        inside(project, wp, "git update-ref -d refs/heads/$BRANCH")
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 0, text
    assert {"WP01.txt", "WP02.txt"} <= set(on_target(project))
    assert any("was deleted; it is at" in event["text"] for event in events(project, "notice"))


MOVED = ("git tag $BRANCH", "echo evil > backdoor.py", "git add -A", "git commit -q -m 'sneaked in'")
TAGS = {
    "the branch's": (*SIDE, "git tag $BRANCH side"),
    "the branch's, which moved from there": MOVED,
    "the target's": (*SIDE, "git tag main side"),
}


@pytest.mark.parametrize("name", TAGS)
def test_a_tag_whose_name_is(after_run: Callable[..., Project], name: str) -> None:
    """Is named before the merge, which comes when it is gone."""
    project = after_run("merge")
    inside(project, "wp01", *TAGS[name])
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 1, text
    assert "is the name of a tag or of another ref too" in text
    assert events(project, "merge.started") == []
    (command,) = re.findall(r"remove it: (git -C \S+ tag -d [\w/-]+)", text)[:1]
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    status, text = run(project)
    assert status == 0, text
    assert "backdoor.py" not in on_target(project)


def test_a_commit_on_the_missions_own_branch_is_put_back_before_the_merge(
    after_run: Callable[..., Project],
) -> None:
    project = after_run("merge")
    start = git(project, "rev-parse", "main")
    inside(project, "wp01", "git checkout -q -b kitty/mission-demo main", *SIDE[1:4], "git checkout -q -")
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 0, text
    (told,) = events(project, "branch.put_back")
    assert (told["branch"], told["commit"]) == ("kitty/mission-demo", start)
    assert "backdoor.py" in git(project, "ls-tree", "--name-only", told["kept"])
    assert git(project, "rev-parse", "kitty/mission-demo") == start


def test_a_commit_below_the_hosts_own_on_the_missions_branch_is_named_and_can_be_reverted(
    after_run: Callable[..., Project],
) -> None:
    project = after_run("merge")
    status_commit = ("echo x > kitty-specs/demo/status.json", "git add -A", "git commit -q -m status")
    inside(project, "wp01", "git checkout -q -b kitty/mission-demo main", *SIDE[1:4], *status_commit)
    place = place_of(project, "wp01")
    subprocess.run(["git", "worktree", "add", "-q", "--detach", "../there"], cwd=place, check=True)
    subprocess.run(["git", "checkout", "-q", "-"], cwd=place, check=True)
    subprocess.run(["git", "checkout", "-q", "kitty/mission-demo"], cwd=place.parent / "there", check=True)
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 1, text
    assert "kitty/mission-demo has commits that nobody reviewed" in text
    assert events(project, "merge.started") == []
    command = re.findall(r"checked out: (git -C \S+ revert --no-edit [0-9a-f]+)", text)[0]
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    status, text = run(project)
    assert status == 0, text
    assert any("and that change nothing" in event["text"] for event in events(project, "notice"))


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


def test_what_a_dependent_work_package_starts_with_is_reviewed_with_it(tmp_path: Path) -> None:
    """As part of its base no reviewer would see it, and as part of a reviewed head it would be merged."""
    project = make(tmp_path / "repo")
    keep = 'pathlib.Path(ROOT).with_name(os.environ["KITTY_WP"]).write_text(PROMPT)\n'
    script = project.profile.with_name("agents") / "review.py"
    code = script.read_text().replace("sys.stdin.read()", "PROMPT = sys.stdin.read()")
    script.write_text(f"{code}\nROOT = {str(project.root)!r}\n{keep}", encoding="utf-8")
    words = (str(project.profile), "--mission", "demo", "--json")
    assert project.kitty_run(*words, "--set", "/limits/attempts=2").status == 4
    commit_in(project, "wp01")
    done = project.kitty_run(*words)
    assert done.status == 0, done.err
    prompt = project.root.with_name("WP02").read_text(encoding="utf-8")
    assert "backdoor.py" in prompt
    (line,) = [event for event in events(project, "notice") if "nobody reviewed" in event["text"]]
    assert line["wp"] == "WP02"
    assert "sneaked in (backdoor.py)" in line["text"]
