"""Whether a branch lacks what its remote has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from kitty_run.git.command import Git
from kitty_run.git.readiness.behind import Behind, behind

from tests.git_repos import GitRepo, make_repo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "repo")


@pytest.fixture
def remote(repo: GitRepo, tmp_path: Path) -> GitRepo:
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "remote"))
    repo.git("remote", "add", "origin", str(tmp_path / "remote"))
    return GitRepo(tmp_path / "remote")


def looked(repo: GitRepo, branch: str = "main") -> Behind | None:
    return asyncio.run(behind(Git(repo.path), branch))


def test_without_a_remote_or_the_branch_nobody_knows(repo: GitRepo) -> None:
    assert looked(repo) is None
    repo.git("remote", "add", "origin", "/nowhere")
    assert looked(repo) is None
    assert looked(repo, "other") is None


def test_a_branch_that_is_level_or_ahead_lacks_nothing(repo: GitRepo, remote: GitRepo) -> None:
    assert looked(repo) is None
    repo.commit("ours", ours="1")
    assert looked(repo) is None


def test_what_was_fetched_is_counted_and_what_was_not_is_known_to_be_there(
    repo: GitRepo, remote: GitRepo
) -> None:
    remote.commit("theirs", theirs="1")
    repo.commit("ours", ours="1")  # parted, so that each has what the other lacks
    assert looked(repo) == Behind("origin", "main", None)
    repo.git("fetch", "-q")
    assert looked(repo) == Behind("origin", "main", 1)


def test_a_remote_that_is_gone_leaves_what_was_fetched(repo: GitRepo, remote: GitRepo) -> None:
    remote.commit("theirs", theirs="1")
    repo.git("fetch", "-q")
    repo.git("remote", "set-url", "origin", "/nowhere")
    assert looked(repo) == Behind("origin", "main", 1)
