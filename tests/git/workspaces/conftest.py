"""A repository with the worktree of one work package."""

from __future__ import annotations

import pytest
from kitty_run.git.workspaces.workspace import Workspace

from tests.git_repos import GitRepo


@pytest.fixture
def workspace(root: GitRepo, tree: GitRepo) -> Workspace:
    return Workspace(tree.path, root.path)
