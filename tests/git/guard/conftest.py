"""A repository with a submodule, a worktree of it, and where the guard keeps its copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.git_repos import GitRepo, copied, make_repo


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository `project` and its submodule's `lib`, made once."""
    folder = tmp_path_factory.mktemp("guarded")
    made = make_repo(folder / "project")
    made.git("config", "extensions.worktreeConfig", "true")
    made.git("config", "filter.known.clean", "cat")
    made.git("config", "remote.origin.url", "https://example.com/a.git")
    make_repo(folder / "lib")
    made.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(folder / "lib"), "sub")
    made.commit("a submodule")
    return folder


@pytest.fixture
def root(template: Path, tmp_path: Path) -> GitRepo:
    copied(template / "lib", tmp_path / "lib")
    return copied(template / "project", tmp_path / "project")


@pytest.fixture
def tree(root: GitRepo) -> GitRepo:
    return root.worktree("m-WP01", "m-WP01")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder
