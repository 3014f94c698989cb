"""Repositories that agents make inside of a worktree."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.workspaces.workspace import Workspace

from tests.git.workspaces.running import run
from tests.git_repos import GitRepo, make_repo


class TestEmbeddedRepositories:
    def test_an_untracked_one_is_refused_and_nothing_is_committed(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        make_repo(tree.path / "lib" / "inner")
        head = tree.head()
        with pytest.raises(WorkspaceError, match=r"lib/inner/ is a git repository of its own"):
            run(workspace.commit("work"))
        assert tree.head() == head
        assert run(workspace.dirty()) == ("lib/inner/",)

    def test_one_without_any_commit_does_not_stop_a_snapshot(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        tree.git("init", "-q", "inner")
        tree.write("inner/code.py", "x")
        assert run(workspace.snapshot()).tree == run(workspace.snapshot_committed()).tree

    def test_one_that_the_agent_committed_as_a_link_is_refused(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        make_repo(tree.path / "inner")
        tree.commit("work")
        with pytest.raises(WorkspaceError, match=r"inner is a git repository of its own"):
            run(workspace.commit("more"))

    def test_a_submodule_is_none(self, tmp_path: Path, tree: GitRepo, workspace: Workspace) -> None:
        other = make_repo(tmp_path / "other")
        allow = ("-c", "protocol.file.allow=always")
        tree.git(*allow, "submodule", "--quiet", "add", str(other.path), "sub")
        assert run(workspace.commit("add a submodule")) == tree.head()
        assert tree.status() == ""


class TestRepositoriesInside:
    def test_what_their_settings_name_is_never_run(self, tree: GitRepo, workspace: Workspace) -> None:
        inner = GitRepo(tree.path / "inner")
        inner.path.mkdir()
        inner.git("init", "-q")
        inner.commit("inner", **{"a.txt": "a\n", ".gitattributes": "*.txt filter=evil\n"})
        tree.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", "./inner", "inner")
        assert "inner" in run(workspace.dirty())
        run(workspace.snapshot())
        inner.git("config", "filter.evil.clean", f"touch {tree.path / 'ran'}; cat")
        inner.write("a.txt", "b\n")
        run(workspace.dirty())
        with pytest.raises(WorkspaceError, match=r"inner is a git repository.*filter\.evil\.clean"):
            run(workspace.snapshot())
        with pytest.raises(WorkspaceError, match=r"inner is a git repository.*filter\.evil\.clean"):
            run(workspace.commit("work"))
        assert not (tree.path / "ran").exists()
