"""A workspace is there for an attempt: made, taken again, or refused."""

from __future__ import annotations

import shutil

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.workspaces.workspace import Workspace, WorkspaceConflict

from tests.git.workspaces.running import run
from tests.git_repos import GitRepo


class TestEnsure:
    def ensure(self, root: GitRepo, *merge: str, name: str = "m-WP03", base: str = "main") -> Workspace:
        workspace = Workspace(root.path / ".worktrees" / name, root.path)
        run(workspace.ensure(name, base, merge))
        return workspace

    def test_makes_the_worktree_on_a_new_branch_from_its_base(self, root: GitRepo) -> None:
        start = root.head()
        workspace = self.ensure(root)
        assert run(workspace.branch()) == "m-WP03"
        assert run(workspace.head()) == start
        assert run(workspace.dirty()) == ()

    def test_leaves_one_that_is_there_with_its_uncommitted_work(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP03", "m-WP03")
        tree.write("half.py", "half")
        assert run(self.ensure(root).dirty()) == ("half.py",)

    def test_makes_it_again_from_its_branch_when_the_directory_was_deleted(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP03", "m-WP03")
        done = tree.commit("done", **{"new.py": "x"})
        root.git("worktree", "remove", "--force", str(tree.path))
        assert run(self.ensure(root).head()) == done

    def test_makes_it_again_when_git_still_lists_the_deleted_directory(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP03", "m-WP03")
        done = tree.commit("done", **{"new.py": "x"})
        shutil.rmtree(tree.path)
        assert run(self.ensure(root).head()) == done

    def test_merges_the_dependencies_branches(self, root: GitRepo) -> None:
        one = root.worktree("m-WP01", "m-WP01").commit("one", **{"one.py": "1"})
        two = root.worktree("m-WP02", "m-WP02").commit("two", **{"two.py": "2"})
        workspace = self.ensure(root, "m-WP02", base="m-WP01")
        tree = GitRepo(workspace.path)
        assert {"one.py", "two.py"} <= set(tree.files())
        assert tree.git("merge-base", "--is-ancestor", one, "HEAD", check=True) == ""
        assert tree.git("merge-base", "--is-ancestor", two, "HEAD", check=True) == ""

    def test_a_second_time_merges_nothing_again(self, root: GitRepo) -> None:
        root.worktree("m-WP02", "m-WP02").commit("two", **{"two.py": "2"})
        head = run(self.ensure(root, "m-WP02").head())
        assert run(self.ensure(root, "m-WP02").head()) == head

    def test_names_branch_and_files_of_a_conflict_and_leaves_the_workspace_clean(self, root: GitRepo) -> None:
        root.worktree("m-WP01", "m-WP01").commit("one", **{"src/app.py": "ONE\n"})
        root.worktree("m-WP02", "m-WP02").commit("two", **{"src/app.py": "TWO\n"})
        with pytest.raises(WorkspaceConflict, match=r"m-WP02 conflicts .* in src/app\.py") as caught:
            self.ensure(root, "m-WP02", base="m-WP01")
        assert (caught.value.branch, caught.value.files) == ("m-WP02", ("src/app.py",))
        tree = GitRepo(root.path / ".worktrees" / "m-WP03")
        assert tree.status() == ""
        assert tree.read("src/app.py") == "ONE\n"

    def test_takes_up_a_merge_that_a_killed_run_left_half_done(self, root: GitRepo) -> None:
        root.worktree("m-WP01", "m-WP01").commit("one", **{"src/app.py": "ONE\n"})
        two = root.worktree("m-WP02", "m-WP02")
        two.commit("two", **{"src/app.py": "TWO\n"})
        tree = root.worktree("m-WP03", "m-WP03", "m-WP01")
        tree.git("merge", "m-WP02", check=False)
        with pytest.raises(WorkspaceConflict):
            self.ensure(root, "m-WP02", base="m-WP01")
        assert tree.status() == ""

    def test_refuses_a_directory_that_is_no_worktree(self, root: GitRepo) -> None:
        root.write(".worktrees/m-WP03/notes.txt", "mine")
        with pytest.raises(WorkspaceError, match="is in the way"):
            self.ensure(root)

    def test_refuses_an_unknown_base_with_gits_words(self, root: GitRepo) -> None:
        with pytest.raises(WorkspaceError, match="no-such-base"):
            self.ensure(root, base="no-such-base")
