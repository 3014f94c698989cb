"""Branches, merges and locks that agents leave behind: kept where that is safe, else refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.workspaces.workspace import Workspace

from tests.git.workspaces.running import BRANCH, run
from tests.git_repos import GitRepo


def diverge(tree: GitRepo) -> None:
    """`theirs` and the WP's branch both change the same line; the WP's branch is checked out."""
    start = tree.head()
    tree.commit("mine", **{"src/app.py": "mine\n"})
    tree.git("checkout", "-q", "-b", "theirs", start)
    tree.commit("theirs", **{"src/app.py": "theirs\n"})
    tree.git("checkout", "-q", BRANCH)


class TestBranches:
    def test_commits_on_a_branch_of_the_agents_own_are_brought_over(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        tree.git("checkout", "-q", "-b", "feature/mine")
        work = tree.commit("work", **{"work.py": "x"})
        tree.write("loose.py", "loose")
        run(workspace.ensure_branch(BRANCH))
        assert (run(workspace.branch()), run(workspace.head())) == (BRANCH, work)
        assert run(workspace.dirty()) == ("loose.py",)

    def test_commits_on_a_detached_head_are_brought_over(self, tree: GitRepo, workspace: Workspace) -> None:
        tree.git("checkout", "-q", "--detach")
        work = tree.commit("work", **{"work.py": "x"})
        run(workspace.ensure_branch(BRANCH))
        assert (run(workspace.branch()), run(workspace.head())) == (BRANCH, work)

    def test_an_older_commit_left_checked_out_loses_no_work(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        work = tree.commit("work", **{"work.py": "x"})
        tree.git("checkout", "-q", "HEAD~1")
        tree.write("loose.py", "loose")
        run(workspace.ensure_branch(BRANCH))
        assert (run(workspace.branch()), run(workspace.head())) == (BRANCH, work)
        assert tree.read("loose.py") == "loose"

    def test_work_that_has_parted_from_the_branch_is_refused_with_the_way_out(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        diverge(tree)
        tree.git("checkout", "-q", "theirs")
        with pytest.raises(WorkspaceError, match=rf"has parted from {BRANCH} .*`git checkout {BRANCH}`"):
            run(workspace.ensure_branch(BRANCH))

    def test_a_deleted_branch_is_refused(self, tree: GitRepo, workspace: Workspace) -> None:
        tree.git("checkout", "-q", "--detach")
        tree.git("branch", "-qD", BRANCH)
        with pytest.raises(WorkspaceError, match=f"the branch {BRANCH} is gone"):
            run(workspace.ensure_branch(BRANCH))

    def test_an_unfinished_rebase_is_refused(self, tree: GitRepo, workspace: Workspace) -> None:
        diverge(tree)
        tree.git("rebase", "theirs", check=False)
        for call in (workspace.ensure_branch(BRANCH), workspace.commit("work")):
            with pytest.raises(WorkspaceError, match=r"a rebase was left unfinished .* --abort"):
                run(call)


class TestMerges:
    def test_unresolved_conflicts_are_never_committed(self, tree: GitRepo, workspace: Workspace) -> None:
        diverge(tree)
        tree.git("merge", "theirs", check=False)
        head = tree.head()
        with pytest.raises(WorkspaceError, match=r"conflicts were left unresolved in src/app\.py"):
            run(workspace.commit("work"))
        assert tree.head() == head

    def test_a_merge_with_all_conflicts_resolved_is_concluded(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        diverge(tree)
        tree.git("merge", "theirs", check=False)
        tree.write("src/app.py", "both\n")
        tree.git("add", "src/app.py")
        run(workspace.commit("work"))
        assert len(tree.git("log", "-1", "--format=%P").split()) == 2
        assert tree.status() == ""


class TestLocks:
    def lock(self, tree: GitRepo, name: str = "index.lock") -> Path:
        path = tree.path / tree.git("rev-parse", "--git-path", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    @pytest.mark.parametrize("name", ["index.lock", "HEAD.lock", f"refs/heads/{BRANCH}.lock"])
    def test_one_that_a_killed_git_left_is_removed(
        self, name: str, tree: GitRepo, workspace: Workspace
    ) -> None:
        self.lock(tree, name)
        tree.write("work.py", "x")
        assert run(workspace.commit("work")) == tree.head()

    @pytest.fixture
    def git_process(self, tree: GitRepo) -> Iterator[int]:
        """A git that works in the worktree until the test ends."""
        with subprocess.Popen(
            ["git", "cat-file", "--batch"], cwd=tree.path, stdin=subprocess.PIPE
        ) as process:
            yield process.pid

    def test_one_that_a_living_git_may_hold_is_left(
        self, tree: GitRepo, workspace: Workspace, git_process: int
    ) -> None:
        lock = self.lock(tree)
        tree.write("work.py", "x")
        with pytest.raises(WorkspaceError, match=f"process {git_process} still runs git there"):
            run(workspace.commit("work"))
        assert lock.exists()

    def test_one_that_any_process_has_open_is_left(self, tree: GitRepo, workspace: Workspace) -> None:
        lock = self.lock(tree)
        script = "import sys\nf = open(sys.argv[1])\nprint(flush=True)\nsys.stdin.read()\n"
        argv = [sys.executable, "-c", script, str(lock)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            tree.write("work.py", "x")
            with pytest.raises(WorkspaceError, match=f"process {process.pid} still runs git there"):
                run(workspace.commit("work"))
            assert process.stdin is not None
            process.stdin.close()
