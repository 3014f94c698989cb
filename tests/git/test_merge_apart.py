"""A merge is computed apart with any git, and what a target must be is known before and after its merge."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from kitty_run.git.command import Git
from kitty_run.git.merge_apart import computed
from kitty_run.git.protocols import Conflict
from kitty_run.git.repository import Repository

from tests.git.workspaces.running import run
from tests.git_repos import GitRepo, make_repo

pytestmark = pytest.mark.heavy

RECORDS = ("kitty-specs/m/",)
OLD_GIT = """\
#!/bin/sh
# A git of before 2.38: it has no `merge-tree --write-tree`.
case " $* " in *" --write-tree "*)
  echo 'usage: git merge-tree <base-tree> <branch1> <branch2>' >&2; exit 129 ;;
esac
exec {git} "$@"
"""


@pytest.fixture(params=["as it is", "old"], autouse=True)
def git(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The git that is installed, and the same without what came with 2.38."""
    if request.param == "old":
        real = shutil.which("git")
        assert real is not None
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "git").write_text(OLD_GIT.format(git=real), encoding="utf-8")
        (folder / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path) -> GitRepo:
    repo = make_repo(tmp_path / "project")
    repo.commit("lines", **{"lines.txt": "".join(f"{number}\n" for number in range(30))})
    return repo


@pytest.fixture
def repository(root: GitRepo) -> Repository:
    return Repository(root.path, records=RECORDS)


def change(tree: GitRepo, line: int, text: str) -> str:
    lines = tree.read("lines.txt").splitlines()
    lines[line] = text
    return tree.commit(f"line {line}", **{"lines.txt": "\n".join(lines) + "\n"})


def test_what_does_not_conflict_is_what_git_merges(root: GitRepo) -> None:
    tree = root.worktree("WP01", "WP01")
    theirs = change(tree, 20, "theirs")
    theirs = tree.commit("files", **{"new/theirs.txt": "x", "src/app.py": ""})
    tree.git("rm", "-q", "kitty-specs/m/spec.md")
    theirs = tree.commit("removed")
    ours = change(root, 5, "ours")
    merge = run(computed(Git(root.path), ours, theirs))
    assert merge.conflicts == ()
    root.git("merge", "-q", "--no-edit", "WP01")
    assert merge.tree == root.git("rev-parse", "HEAD^{tree}")
    assert root.status() == ""


def test_conflicts_are_named(root: GitRepo) -> None:
    tree = root.worktree("WP01", "WP01")
    theirs = change(tree, 5, "theirs")
    tree.git("rm", "-q", "src/app.py")
    theirs = tree.commit("removed")
    change(root, 5, "ours")
    ours = root.commit("changed", **{"src/app.py": "changed\n"})
    merge = run(computed(Git(root.path), ours, theirs))
    assert set(merge.conflicts) == {"lines.txt", "src/app.py"}


def test_unrelated_histories_are_merged_too(root: GitRepo) -> None:
    root.git("checkout", "-q", "--orphan", "other")
    root.git("rm", "-r", "-q", "--cached", ".")
    root.git("clean", "-ffdxq", "-e", ".git")
    theirs = root.commit("anew", **{"other.txt": "x"})
    merge = run(computed(Git(root.path), "main", theirs))
    assert {"other.txt", "lines.txt"} <= set(root.files(merge.tree))


def test_a_conflict_is_known_before_the_merge(root: GitRepo, repository: Repository, git: str) -> None:
    first = change(root.worktree("WP01", "WP01"), 5, "first")
    second = change(root.worktree("WP02", "WP02"), 20, "second")
    third = change(root.worktree("WP03", "WP03"), 20, "third")
    target = change(root, 6, "the target's")
    found = run(repository.conflict("main", [second, first]))
    between = run(repository.conflict("main", [second, third]))
    if git == "old":
        assert (found, between) == (None, None)  # it can't know
        return
    assert found == Conflict(first, target, ("lines.txt",))
    assert between == Conflict(third, second, ("lines.txt",))
    assert root.head() == target


def test_conflicts_in_the_hosts_own_records_are_the_hosts(root: GitRepo, repository: Repository) -> None:
    head = root.worktree("WP01", "WP01").commit("moved", **{"kitty-specs/m/spec.md": "theirs"})
    root.commit("moved", **{"kitty-specs/m/spec.md": "ours"})
    assert run(repository.conflict("main", [head])) is None


def test_after_a_squash_the_targets_own_change_must_be_there(root: GitRepo, repository: Repository) -> None:
    head = change(root.worktree("WP01", "WP01"), 20, "theirs")
    before = change(root, 5, "ours")
    merged = run(computed(Git(root.path), before, head)).tree
    good = root.git("commit-tree", merged, "-p", before, "-m", "squashed")
    reverting = root.git("commit-tree", f"{head}^{{tree}}", "-p", before, "-m", "squashed")
    assert run(repository.lost(before, good, [head])).files == ()
    assert run(repository.lost(before, reverting, [head])).files == ("lines.txt",)


def test_what_a_squash_brings_besides_is_named(root: GitRepo, repository: Repository) -> None:
    head = change(root.worktree("WP01", "WP01"), 20, "theirs")
    before = root.head()
    root.git("merge", "-q", "--squash", "WP01")
    after = root.commit("squashed", **{"evil.py": "evil", "kitty-specs/m/status.md": "the host's"})
    assert run(repository.lost(before, after, [head])).files == ("evil.py",)
    other = root.commit("another mission's", **{"kitty-specs/other/tasks/WP01.md": "planted"})
    assert run(repository.lost(before, other, [head])).files == ("evil.py", "kitty-specs/other/tasks/WP01.md")


def test_what_was_made_of_conflicts_is_not_taken_for_right(root: GitRepo, repository: Repository) -> None:
    head = change(root.worktree("WP01", "WP01"), 5, "theirs")
    before = change(root, 5, "ours")
    (root.path / "lines.txt").write_text("whatever\n", encoding="utf-8")
    loss = run(repository.lost(before, root.commit("squashed"), [head]))
    assert (loss.files, loss.unsure) == ((), ("lines.txt",))


def test_a_commit_in_another_missions_folder_is_not_the_hosts(root: GitRepo, repository: Repository) -> None:
    before = root.head()
    root.commit("chore", **{"kitty-specs/m/status.md": "the host's"})
    planted = root.commit("chore", **{"kitty-specs/other/spec.md": "planted"})
    found = run(repository.brought(before, "main", []))
    assert [one.commit for one in found] == [planted]
