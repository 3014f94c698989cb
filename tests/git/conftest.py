"""A repository, and in it the worktree of one work package."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.git.workspaces.running import BRANCH
from tests.git_repos import GitRepo, make_repo


@pytest.fixture
def root(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "project")


@pytest.fixture
def tree(root: GitRepo) -> GitRepo:
    return root.worktree(BRANCH, BRANCH)
