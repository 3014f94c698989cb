"""What a reviewer changed is put aside, and what is left of an attempt is known."""

from __future__ import annotations

import pytest
from kitty_run.git.protocols import Left
from kitty_run.git.workspaces.workspace import Workspace

from tests.git.workspaces.running import run
from tests.git_repos import GitRepo

pytestmark = pytest.mark.heavy


class TestDiscard:
    def test_a_clean_workspace_needs_nothing(self, tree: GitRepo, workspace: Workspace) -> None:
        since = run(workspace.snapshot())
        tree.write("run.log", "ignored")
        assert run(workspace.discard(since, "test")) == ()
        assert tree.read("run.log") == "ignored"

    def test_puts_back_files_commits_branch_and_index(self, tree: GitRepo, workspace: Workspace) -> None:
        since = run(workspace.snapshot())
        tree.git("checkout", "-q", "-b", "elsewhere")
        tree.commit("reviewer's", **{"fix.py": "fix"})
        tree.write("src/app.py", "edited")
        tree.git("add", "-A")
        tree.write("cache/x.bin", "x")
        tree.write(".gitignore", "*\n")
        assert run(workspace.discard(since, "test")) == (".gitignore", "fix.py", "src/app.py")
        assert not (tree.path / "cache").exists()
        assert run(workspace.snapshot()) == since
        assert tree.status() == ""

    def test_says_head_where_only_commits_or_the_branch_changed(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        since = run(workspace.snapshot())
        tree.git("commit", "-q", "--allow-empty", "-m", "empty")
        assert run(workspace.discard(since, "test")) == ("HEAD",)
        tree.git("checkout", "-q", "--detach")
        assert run(workspace.discard(since, "test")) == ("HEAD",)
        assert run(workspace.snapshot()) == since

    def test_notices_what_is_staged_only(self, tree: GitRepo, workspace: Workspace) -> None:
        since = run(workspace.snapshot())
        tree.write("src/app.py", "staged")
        tree.git("add", "-A")
        tree.write("src/app.py", "one\ntwo\nthree\n")
        assert run(workspace.discard(since, "test")) == ("src/app.py",)
        assert tree.status() == ""

    def test_ends_a_rebase_and_a_merge_left_half_done(self, tree: GitRepo, workspace: Workspace) -> None:
        start = tree.head()
        tree.commit("mine", **{"src/app.py": "mine"})
        since = run(workspace.snapshot())
        tree.git("branch", "theirs", start)
        tree.git("checkout", "-q", "theirs")
        tree.commit("theirs", **{"src/app.py": "theirs"})
        tree.git("checkout", "-q", "m-WP01")
        for operation in ("rebase", "merge"):
            tree.git(operation, "theirs", check=False)
            assert run(workspace.discard(since, "test")) == ("src/app.py",)
            assert "rebas" not in tree.git("status")
            assert run(workspace.snapshot()) == since

    def test_removes_repositories_that_a_reviewer_cloned_into_it(
        self, tree: GitRepo, workspace: Workspace, root: GitRepo
    ) -> None:
        since = run(workspace.snapshot())
        tree.git("clone", "-q", str(root.path), "vendor/copy")
        assert run(workspace.discard(since, "test")) == ("vendor/copy/",)
        assert not (tree.path / "vendor").exists()

    def test_restores_a_branch_that_was_deleted(self, tree: GitRepo, workspace: Workspace) -> None:
        since = run(workspace.snapshot())
        tree.git("checkout", "-q", "--detach")
        tree.git("branch", "-qD", "m-WP01")
        assert run(workspace.discard(since, "test")) == ("HEAD",)
        assert run(workspace.snapshot()) == since

    def test_restores_ignored_files_below_kitty_specs(self, tree: GitRepo, workspace: Workspace) -> None:
        tree.write("kitty-specs/m/host.log", "x")
        since = run(workspace.snapshot())
        tree.write("kitty-specs/m/host.log", "y")
        assert run(workspace.discard(since, "test")) == ("kitty-specs/m/host.log",)
        assert tree.read("kitty-specs/m/host.log") == "x"


class TestLeft:
    def test_names_what_an_attempt_changed_and_what_is_on_the_base(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        base = tree.head()
        tree.commit("feat: earlier", **{"earlier.py": "1"})
        tree.write("lying.py", "of an earlier attempt")
        before = run(workspace.snapshot())
        tree.commit("feat: mine", **{"mine.py": "1"})
        tree.write("half.py", "1")
        left = run(workspace.left(before, base))
        assert set(left.changed) == {"half.py", "mine.py"}
        assert [commit.split(" ", 1)[1] for commit in left.commits] == ["feat: mine", "feat: earlier"]
        assert left.uncommitted == ("half.py",)

    def test_of_an_attempt_that_did_nothing_is_nothing_though_work_is_there(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        base = tree.head()
        tree.write("lying.py", "of an earlier attempt")
        left = run(workspace.left(run(workspace.snapshot()), base))
        assert left == Left((), (), ("lying.py",))

    def test_changes_nothing(self, tree: GitRepo, workspace: Workspace) -> None:
        tree.write("half.py", "1")
        before = run(workspace.snapshot())
        run(workspace.left(before, tree.head()))
        assert run(workspace.snapshot()) == before
        assert tree.git("diff", "--cached", "--name-only") == ""
