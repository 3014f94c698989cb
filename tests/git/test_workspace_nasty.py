"""States that agents leave behind: kept where that is safe, refused with clear words where it is not."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.command import Git
from kitty_run.git.repository import Repository
from kitty_run.git.workspaces.workspace import Workspace
from kitty_run.profile.review_diff import GENERATED

from tests.git_repos import GitRepo, make_repo

T = TypeVar("T")
BRANCH = "m-WP01"


def run(call: Coroutine[object, object, T]) -> T:
    return asyncio.run(call)


@pytest.fixture
def root(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "project")


@pytest.fixture
def tree(root: GitRepo) -> GitRepo:
    return root.worktree(BRANCH, BRANCH)


@pytest.fixture
def workspace(root: GitRepo, tree: GitRepo) -> Workspace:
    return Workspace(tree.path, root.path)


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
        with pytest.raises(WorkspaceError, match=rf"has parted from {BRANCH} .* git checkout {BRANCH}"):
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


class TestBrokenWorktrees:
    def test_a_removed_git_file_never_leads_to_the_root_checkout(
        self, root: GitRepo, tree: GitRepo, workspace: Workspace
    ) -> None:
        since = run(workspace.snapshot())
        (tree.path / ".git").unlink()
        root.write("users.txt", "the user's own")
        for call in (
            workspace.commit("work"),
            workspace.undo_forbidden(since),
        ):
            with pytest.raises(WorkspaceError, match=r"its \.git file is gone; .*git worktree repair"):
                run(call)
        assert root.status() == "?? users.txt"
        assert run(workspace.discard(since, "test")) == ()
        assert (tree.status(), root.status()) == ("", "?? users.txt")

    def test_a_repository_put_in_its_place_is_refused(self, tree: GitRepo, workspace: Workspace) -> None:
        since = run(workspace.snapshot())
        (tree.path / ".git").unlink()
        tree.git("init", "-q", "-b", "other")
        tree.commit("all mine")
        with pytest.raises(WorkspaceError):
            run(workspace.ensure_branch(BRANCH))
        run(workspace.discard(since, "test"))
        assert (tree.head(), tree.status()) == (since.head, "")

    @pytest.mark.parametrize(
        "forged", ["a repository of its own", "a worktree of another", "beside the real one"]
    )
    def test_a_git_file_that_leads_elsewhere_runs_nothing_there(
        self, root: GitRepo, tree: GitRepo, workspace: Workspace, tmp_path: Path, forged: str
    ) -> None:
        since = run(workspace.snapshot())
        other = make_repo(tmp_path / "other")
        goal = other.path / ".git"
        if forged == "a worktree of another":
            other.worktree("theirs", "theirs")
            goal = other.path / ".git/worktrees/theirs"
        elif forged == "beside the real one":
            goal = tree.path / "forged"
            shutil.copytree(root.path / ".git/worktrees" / tree.path.name, goal)
            (goal / "commondir").write_text(str(root.path / ".git"))
        other.git("config", "filter.evil.clean", f"touch {tmp_path}/ran")
        (tree.path / ".git").write_text(f"gitdir: {goal}\n")
        tree.write(".gitattributes", "* filter=evil\n")
        for call in (
            workspace.commit("work"),
            workspace.ensure_branch(BRANCH),
        ):
            with pytest.raises(
                WorkspaceError, match=r"which is no worktree of .* an agent may have changed it"
            ):
                run(call)
        run(workspace.discard(since, "test"))
        assert not (tmp_path / "ran").exists()
        assert (tree.head(), tree.status()) == (since.head, "")

    def test_a_removed_directory_is_a_workspace_error(self, tree: GitRepo, workspace: Workspace) -> None:
        shutil.rmtree(tree.path)
        with pytest.raises(
            WorkspaceError, match="the directory is gone; what was committed is still on its branch"
        ):
            run(workspace.head())


HOSTILE = {
    "apply.whitespace": "error",
    "commit.cleanup": "strip",
    "core.abbrev": "4",
    "core.quotePath": "true",
    "core.splitIndex": "true",
    "diff.context": "0",
    "diff.ignoreSubmodules": "all",
    "diff.mnemonicPrefix": "true",
    "diff.noprefix": "true",
    "diff.relative": "true",
    "diff.renames": "copies",
    "merge.ff": "only",
    "merge.verifySignatures": "true",
    "status.relativePaths": "true",
    "status.renames": "true",
    "status.showUntrackedFiles": "no",
    "submodule.recurse": "true",
}


def test_a_users_settings_change_nothing(root: GitRepo, tree: GitRepo, workspace: Workspace) -> None:
    for name, value in HOSTILE.items():
        root.git("config", name, value)
    since = run(workspace.snapshot())
    tree.write("kitty-specs/m/new.md", "x")
    tree.write("work.py", "trailing  \n" * 9)
    assert run(workspace.dirty()) == ("kitty-specs/m/new.md", "work.py")
    assert run(workspace.forbidden(since)) == ("kitty-specs/m/new.md",)
    run(workspace.undo_forbidden(since))
    head = run(workspace.commit("subject\n\n# not a comment\n"))
    assert "# not a comment" in tree.git("log", "-1", "--format=%B")
    assert "+++ b/work.py" in run(workspace.diff(since.head, 10_000, GENERATED)).text
    assert head is not None
    root.git("-c", "merge.ff=true", "-c", "merge.verifySignatures=false", "merge", "--squash", BRANCH)
    root.commit("squashed")
    root.commit("later", **{"src/app.py": "elsewhere\n"})
    assert run(Repository(root.path).verify_merged("main", {"WP01": head})) == ()
    other = Workspace(root.path / ".worktrees/m-WP02", root.path)
    run(other.ensure("m-WP02", "main", [BRANCH]))
    assert run(other.dirty()) == ()
    assert run(workspace.discard(run(workspace.snapshot()), "test")) == ()


def test_names_that_are_not_text_are_kept_and_shown(tree: GitRepo, workspace: Workspace) -> None:
    since = run(workspace.snapshot())
    for name in (b"work-\xe9.py", b"kitty-specs/\xff/\xfe.md"):
        path = tree.path / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert all(shown.encode() for shown in (*run(workspace.forbidden(since)), *run(workspace.dirty())))
    run(workspace.undo_forbidden(since))
    assert run(workspace.forbidden(since)) == ()
    run(workspace.commit("work"))
    assert run(workspace.diff_files(since.head)) == ("work-\ufffd.py",)
    assert run(workspace.dirty()) == ()


@pytest.mark.parametrize("turns", range(2, 12))
def test_git_may_be_cancelled_at_any_moment_of_its_start(turns: int, tree: GitRepo, tmp_path: Path) -> None:
    """The loop stands still until git has a child that holds its output open: no pipe may be waited for."""
    begun = tmp_path / "begun"
    tree.write(".gitattributes", "*.slow filter=slow\n")
    tree.git("config", "filter.slow.clean", f"touch {begun}; sleep 600")
    tree.write("x.slow", "x")

    async def cancel_it() -> None:
        task = asyncio.create_task(Git(tree.path).run("add", "--all"))
        for _ in range(turns):
            await asyncio.sleep(0)
        while not begun.exists():
            pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancel_it())
    assert not (tree.path / tree.git("rev-parse", "--git-path", "index.lock")).exists()


def test_a_cancelled_git_is_ended_and_leaves_no_lock(tree: GitRepo, workspace: Workspace) -> None:
    """A filter that never ends stands for any slow git command."""
    tree.write(".gitattributes", "*.slow filter=slow\n")
    tree.git("config", "filter.slow.clean", "sleep 600")
    tree.write("x.slow", "x")

    async def cancel_it() -> None:
        task = asyncio.create_task(workspace.commit("work"))
        lock = tree.path / tree.git("rev-parse", "--git-path", "index.lock")
        while not lock.exists():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancel_it())
    tree.git("config", "filter.slow.clean", "cat")
    assert run(workspace.commit("work")) == tree.head()


class TestCauses:
    def test_gits_own_last_line_comes_before_the_command(self, tree: GitRepo, workspace: Workspace) -> None:
        tree.git("config", "filter.absent.clean", "no-such-program-anywhere")
        tree.git("config", "filter.absent.required", "true")
        tree.write(".gitattributes", "*.bin filter=absent\n")
        tree.write("large.bin", "data")
        with pytest.raises(WorkspaceError) as caught:
            run(workspace.commit("work"))
        first = str(caught.value).splitlines()[0]
        assert first.startswith(f"{tree.path}: git failed: fatal: large.bin: clean filter 'absent' failed")

    def test_the_users_line_ends_and_merges_are_no_reason_to_fail(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        tree.git("config", "core.autocrlf", "input")
        tree.git("config", "core.safecrlf", "true")
        tree.write("crlf.txt", "one\r\ntwo\r\n")
        assert run(workspace.commit("work")) == tree.head()


class TestWhatStandsInForCommits:
    def test_a_replacement_changes_no_diff(self, tree: GitRepo, workspace: Workspace) -> None:
        base = tree.head()
        evil = tree.commit("evil", **{"evil.py": "x"})
        tree.git("checkout", "-q", "-b", "aside", base)
        harmless = tree.commit("harmless", **{"fine.py": "x"})
        tree.git("checkout", "-q", BRANCH)
        tree.git("replace", evil, harmless)
        assert run(workspace.diff_files(base)) == ("evil.py",)


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
