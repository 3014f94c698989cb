"""A repository with the worktree of one work package, to be set up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.execution.setup.desk import Desk
from tests.git_repos import make_repo


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    root = make_repo(tmp_path / "repo")
    folder = tmp_path / "runs"
    folder.mkdir(mode=0o700)
    return Desk(root, root.worktree("m-WP01", "m-WP01"), folder)
