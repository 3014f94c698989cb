"""The target, or the mission's own branch, is moved back by others: found, named, and never verified."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.project import Project, make
from tests.cli.test_after_review import add_to, events, git, inside, lines, on_target, run
from tests.cli.test_merge_check import host_that, strategy

pytestmark = pytest.mark.whole

FIRST = "git commit -q --allow-empty -m first"


def at_the_root(project: Project, wp: str, command: str) -> str:
    """What lets the implementer of `wp` run a command of the shell at the root checkout."""
    return (
        f"if os.environ['KITTY_WP'] == '{wp}':\n"
        f"    subprocess.run({command!r}, cwd=ROOT, shell=True, check=True, capture_output=True)\n"
    )


def assert_named(project: Project, text: str, branch: str = "main", title: str = "work of others") -> str:
    """The commits are named, and kept; returns the printed command that brings them back."""
    (told,) = events(project, "branch.moved_back")
    assert told["branch"] == branch
    assert any(title in one for one in told["missing"])
    assert title in text
    assert told["kept"] in text
    assert git(project, "rev-parse", told["kept"]) == told["was"]
    (command,) = re.findall(r"checked out, (git -C \S+ merge [0-9a-f]{40})", text)[:1]
    return str(command)


RESET = "git reset -q --hard HEAD~1"
WAYS = {
    "reset": RESET,
    "reset, with the files left": "git update-ref refs/heads/main HEAD~1",
    "forced": "git checkout -q --detach; git branch -q -f main main~1; git checkout -q main",
    "amended": "git commit -q --amend --allow-empty -m 'of nobody'",
    "given another beginning": "git update-ref refs/heads/main $(git commit-tree -m new HEAD^{tree})",
    "reset, and its history expired": f"{RESET}; git reflog expire --expire=now --all; git gc -q --prune=now",
}


@pytest.mark.parametrize("name", WAYS)
def test_a_target_that_is(after_run: Callable[..., Project], name: str) -> None:
    """Is found before the merge, that waits until the commits are back."""
    project = after_run("merge")
    subprocess.run(["sh", "-c", WAYS[name]], cwd=project.root, check=True, capture_output=True)
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 1, text
    command = assert_named(project, text)
    assert events(project, "merge.started") == []
    if "files left" in name:
        git(project, "reset", "-q", "--hard")
    unrelated = "--allow-unrelated-histories" if "beginning" in name else ""
    subprocess.run(["sh", "-c", f"{command} --no-edit {unrelated}"], check=True, capture_output=True)
    status, text = run(project)
    assert status == 0, text
    assert {"WP01.txt", "WP02.txt"} <= set(on_target(project))


def test_an_agent_that_moves_the_target_back_is_found_after_its_attempt(tmp_path: Path) -> None:
    project = make(tmp_path / "repo")
    add_to(project, "implement", at_the_root(project, "WP02", RESET))
    status, text = run(project)
    assert status == 1, text
    assert_named(project, text)
    types = [one["type"] for one in lines(project)]
    assert "attempt.started" in types[types.index("branch.moved_back") :]  # the review of WP02


def test_commits_stay_away_when_a_person_says_so(tmp_path: Path) -> None:
    project = make(tmp_path / "repo")
    add_to(project, "implement", at_the_root(project, "WP01", RESET))
    assert run(project)[0] == 1
    attempts = len(events(project, "attempt.started"))
    assert run(project)[0] == 1  # running again alone is no answer
    assert project.kitty_run("approve", "moved-back").status == 0
    status, text = run(project)
    assert status == 0, text
    assert len(events(project, "attempt.started")) == attempts
    assert [one["approved"] for one in events(project, "gate.answered")] == [True]


def test_an_answer_that_was_there_before_is_none(tmp_path: Path) -> None:
    project = make(tmp_path / "repo")
    plant = (
        "first = os.environ['KITTY_WP'] == 'WP01'\n"
        "for one in pathlib.Path(ROOT).glob('.kitty-run/runs/*') if first else ():\n"
        "    (one / 'gates').mkdir(exist_ok=True)\n"
        """    (one / 'gates' / 'moved-back.json').write_text('{"approved": true, "by": "mia"}')\n"""
    )
    add_to(project, "implement", plant + at_the_root(project, "WP01", RESET))
    status, text = run(project)
    assert status == 1, text
    assert_named(project, text)


@pytest.mark.parametrize("name", ["merge", "squash"])
def test_what_is_moved_back_right_after_the_merge(tmp_path: Path, name: str) -> None:
    """Below what was there before, while the work stays in: all files may be right then."""
    project = make(tmp_path / "repo")
    strategy(project, name)
    host_that(
        project,
        "below = 'git commit-tree -p $(git rev-list --max-parents=0 HEAD) -m x HEAD^{tree}'\n"
        "    subprocess.run(f'git update-ref refs/heads/main $({below})', shell=True, check=True)",
    )
    status, text = run(project)
    assert status == 1, text
    assert_named(project, text)
    assert events(project, "merge.verified") == []


@pytest.mark.parametrize("again", ["the same run", "another run"])
def test_a_target_that_lost_the_merged_work_is_not_verified_again(
    after_run: Callable[..., Project], again: str
) -> None:
    project = after_run()
    merged = git(project, "rev-parse", "main")
    git(project, "reset", "-q", "--hard", "HEAD~1")
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json")
    text = done.out + done.err
    assert done.status == 1, text
    assert merged in text
    command = re.findall(r"checked out, (git -C \S+ merge [0-9a-f]{40})", text)[0]
    if again == "another run":
        subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json")
    assert done.status == (0 if again == "another run" else 1), done.err


def test_the_missions_own_branch_that_is_moved_back(after_run: Callable[..., Project]) -> None:
    project = after_run("merge")
    inside(project, "wp01", "git checkout -q -b kitty/mission-demo main", FIRST, FIRST, "git checkout -q -")
    status, text = run(project)  # it waits at its gate again, and has seen the branch
    assert status == 4, text
    git(project, "branch", "-q", "-f", "kitty/mission-demo", "kitty/mission-demo~1")
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 1, text
    assert_named(project, text, "kitty/mission-demo", "first")
    git(project, "branch", "-q", "-D", "kitty/mission-demo")
    status, text = run(project)
    assert status == 1, text
    command = re.findall(r"bring it back: (git -C \S+ branch \S+ [0-9a-f]{40})", text)[0]
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    status, text = run(project)
    assert status == 0, text


@pytest.mark.parametrize("back", ["HEAD~1", "main~0"])
def test_a_work_packages_branch_behind_its_reviewed_head_is_put_back(
    after_run: Callable[..., Project], back: str
) -> None:
    project = after_run("merge")
    inside(project, "wp02", f"git update-ref refs/heads/$BRANCH {back}", "git reset -q --hard")
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 0, text
    assert [one["wp"] for one in events(project, "branch.put_back")] == ["WP02"]
    assert {"WP01.txt", "WP02.txt"} <= set(on_target(project))
