"""A repository with a submodule, a worktree of it, and where the guard keeps its copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.git_repos import GitRepo, make_repo


@pytest.fixture
def root(tmp_path: Path) -> GitRepo:
    made = make_repo(tmp_path / "project")
    made.git("config", "extensions.worktreeConfig", "true")
    made.git("config", "filter.known.clean", "cat")
    made.git("config", "remote.origin.url", "https://example.com/a.git")
    make_repo(tmp_path / "lib")
    made.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "lib"), "sub")
    made.commit("a submodule")
    return made


@pytest.fixture
def tree(root: GitRepo) -> GitRepo:
    return root.worktree("m-WP01", "m-WP01")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder
