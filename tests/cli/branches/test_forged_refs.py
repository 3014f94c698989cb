"""What refs hold is no proof: they are compared with the journal, or not believed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.project import Project, make
from tests.cli.test_after_review import SIDE, events, git, inside, on_target, run

pytestmark = pytest.mark.whole


def forged(project: Project) -> str:
    """A commit that nobody reviewed, on top of the reviewed one of WP01."""
    inside(project, "wp01", *SIDE)
    return git(project, "rev-parse", "side")


def forge(project: Project, commit: str) -> None:
    """Have every ref of the runner hold `commit`."""
    refs = git(project, "for-each-ref", "--format=%(refname)", "refs/kitty-run").splitlines()
    assert refs
    for ref in [*refs, "refs/kitty-run/demo/unreviewed", "refs/kitty-run/demo/conflicts"]:
        git(project, "update-ref", ref, commit)


def test_a_forged_reviewed_commit_is_not_merged_and_is_named(after_run: Callable[..., Project]) -> None:
    project = after_run("merge")
    commit = forged(project)
    forge(project, commit)
    for wp in ("wp01", "wp02"):
        inside(project, wp, "git update-ref -d refs/heads/$BRANCH")
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 0, text
    assert {"WP01.txt", "WP02.txt"} <= set(on_target(project))
    assert "backdoor.py" not in on_target(project)
    told = [one["text"] for one in events(project, "notice") if "not believed" in one["text"]]
    assert any(commit in one for one in told)


def test_in_a_new_run_the_journal_of_the_one_before_is_believed(tmp_path: Path) -> None:
    """A run that was not to merge came to its end; another one merges."""
    project = make(tmp_path / "repo")
    words = (str(project.profile), "--mission", "demo", "--json")
    text = project.profile.read_text(encoding="utf-8")
    alone = re.sub(r"finish:\n(  .*\n)+", "finish:\n  accept: false\n  merge: false\n", text)
    project.profile.write_text(alone, encoding="utf-8")
    assert project.kitty_run(*words).status == 0
    project.profile.write_text(text, encoding="utf-8")
    forge(project, forged(project))
    done = project.kitty_run(*words)
    assert done.status == 0, done.err
    assert {"WP01.txt", "WP02.txt"} <= set(on_target(project))
    assert "backdoor.py" not in on_target(project)


def test_without_any_journal_a_ref_alone_merges_nothing(
    after_run: Callable[..., Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = after_run("merge")
    commit = forged(project)
    forge(project, commit)
    inside(project, "wp01", "git update-ref -d refs/heads/$BRANCH")
    shutil.rmtree(project.root / ".kitty-run")
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json", "--yes")
    assert done.status == 1, done.err
    assert "no journal of kitty-run knows its reviewed commit" in done.out + done.err
    assert "backdoor.py" not in on_target(project)


def test_a_forged_start_of_the_merge_hides_nothing(after_run: Callable[..., Project]) -> None:
    """Killed after the merge and before its proof: what the target was is the journal's to say."""
    project = after_run()
    (journal,) = project.root.glob(".kitty-run/runs/*/events.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if b'"merge.verified"' in line)
    _cut(project, journal, lines[:at])
    (project.root / "evil.py").write_text("evil", encoding="utf-8")
    git(project, "add", "evil.py")
    git(project, "commit", "-q", "-m", "sneaked in")
    forge(project, git(project, "rev-parse", "main"))
    status, text = run(project)
    assert status == 1, text
    assert "sneaked in (evil.py)" in text


def _cut(project: Project, journal: Path, lines: list[bytes]) -> None:
    """As a kill at that line leaves them: the journal, and what is kept of it outside."""
    kept = [
        path
        for path in Path(os.environ["XDG_STATE_HOME"]).rglob("*")
        if path.is_file() and _holds(path, lines[-1])
    ]
    assert kept
    for path in kept:
        whole = path.read_bytes()
        path.write_bytes(whole[: whole.index(lines[-1]) + len(lines[-1])])
    journal.write_bytes(b"".join(lines))


def _holds(path: Path, line: bytes) -> bool:
    return line in path.read_bytes()


def test_a_merge_of_the_users_own_is_not_aborted_for_a_forged_ref(after_run: Callable[..., Project]) -> None:
    project = after_run("merge")
    inside(project, "wp01", *SIDE)
    (project.root / "backdoor.py").write_text("mine", encoding="utf-8")
    git(project, "add", "backdoor.py")
    git(project, "commit", "-q", "-m", "mine")
    git(project, "update-ref", "refs/kitty-run/demo/WP09", git(project, "rev-parse", "side"))
    subprocess.run(["git", "merge", "side"], cwd=project.root, check=False, capture_output=True)
    begun = git(project, "rev-parse", "MERGE_HEAD")
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status != 0, text
    assert git(project, "rev-parse", "MERGE_HEAD") == begun


def test_a_symbolic_ref_in_the_place_of_a_ref_of_the_runner_moves_no_branch(
    after_run: Callable[..., Project],
) -> None:
    project = after_run("merge")
    start = git(project, "rev-parse", "main")
    for wp in ("WP01", "WP02", "target-before-merge"):
        git(project, "symbolic-ref", f"refs/kitty-run/demo/{wp}", "refs/heads/victim")
    git(project, "branch", "victim", "main")
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 0, text
    assert git(project, "rev-parse", "victim") == start


def test_refs_in_the_way_of_those_of_the_runner_stop_nothing(after_run: Callable[..., Project]) -> None:
    project = after_run("merge")
    refs = git(project, "for-each-ref", "--format=%(refname)", "refs/kitty-run").splitlines()
    for ref in refs:
        git(project, "update-ref", "-d", ref)
    git(project, "update-ref", "refs/kitty-run", "main")
    inside(project, "wp01", "echo evil > backdoor.py", "git add -A", "git commit -q -m 'sneaked in'")
    assert project.kitty_run("approve", "merge").status == 0
    status, text = run(project)
    assert status == 0, text
    (told,) = events(project, "branch.put_back")
    assert "backdoor.py" in git(project, "ls-tree", "--name-only", told["kept"])
