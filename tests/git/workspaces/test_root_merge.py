"""Work brought onto the root's branch: what people have under way there is not touched, nor taken along."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from kitty_run.git.repository import Repository
from kitty_run.git.root_state import BroughtIn

from tests.git_repos import GitRepo, make_repo


@pytest.fixture
def root(tmp_path: Path) -> GitRepo:
    """A root on `main` with a file, and a branch `work` with another one."""
    repo = make_repo(tmp_path / "root")
    repo.commit("start", **{"base.txt": "base\n", ".gitignore": "*.env\n"})
    repo.git("branch", "work")
    add(repo, "work", "part.txt", "part\n")
    return repo


def add(repo: GitRepo, branch: str, name: str, text: str) -> str:
    """A commit on `branch`, made in a worktree apart."""
    apart = GitRepo(repo.path.parent / "apart")
    repo.git("worktree", "add", "-q", "--force", str(apart.path), branch)
    apart.write(name, text)
    apart.git("add", "-f", name)
    apart.git("commit", "-qm", name)
    repo.git("worktree", "remove", "--force", str(apart.path))
    return repo.head(branch)


def bring(repo: GitRepo, commit: str = "work", branch: str = "main") -> BroughtIn:
    return asyncio.run(Repository(repo.path).bring_in(branch, repo.head(commit), "Merge WP01"))


def test_work_comes_forward_or_by_a_merge_and_once_only(root: GitRepo) -> None:
    assert bring(root).commit == root.head("work")
    root.commit("a person's", **{"own.txt": "own\n"})
    add(root, "work", "more.txt", "more\n")
    done = bring(root)
    assert done.commit == root.head("main")
    assert root.git("log", "-1", "--format=%s %P").split()[:2] == ["Merge", "WP01"]
    assert {"own.txt", "part.txt", "more.txt"} <= set(root.files())
    assert root.git("status", "--porcelain") == ""
    assert bring(root) == BroughtIn()


def test_what_a_person_has_under_way_at_the_root_stays_theirs(root: GitRepo) -> None:
    root.commit("a person's", **{"own.txt": "own\n"})
    root.write("base.txt", "edited\n")
    root.write("new.txt", "new\n")
    root.write("own.txt", "staged\n")
    root.git("add", "own.txt")
    before = root.git("status", "--porcelain")
    assert bring(root).commit == root.head("main")
    assert root.git("status", "--porcelain") == before
    assert (root.read("base.txt"), root.read("own.txt")) == ("edited\n", "staged\n")
    assert root.git("show", "main:base.txt") == "base"


@pytest.mark.parametrize("name", ["part.txt", "part.env"])
@pytest.mark.parametrize("diverged", [False, True])
def test_a_file_of_theirs_is_never_overwritten(root: GitRepo, name: str, diverged: bool) -> None:
    if diverged:
        root.commit("a person's", **{"own.txt": "own\n"})
    add(root, "work", "part.env", "of the agent\n")
    root.write(name, "theirs\n")
    before = root.head("main")
    done = bring(root)
    assert done.commit is None
    assert name in done.in_the_way
    assert (root.read(name), root.head("main")) == ("theirs\n", before)


def test_a_conflict_is_named_and_touches_nothing(root: GitRepo) -> None:
    root.commit("a person's", **{"part.txt": "theirs\n"})
    before = root.head("main")
    assert bring(root) == BroughtIn(conflicts=("part.txt",))
    assert (root.head("main"), root.git("status", "--porcelain")) == (before, "")


def test_another_branch_at_the_root_gets_nothing(root: GitRepo) -> None:
    root.git("checkout", "-qb", "other")
    assert "main" in bring(root).in_the_way
    assert root.head("main") == root.head("other")
