"""Worktrees that agents broke are refused with the cause and with what puts them right."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.workspaces.workspace import Workspace

from tests.git.workspaces.running import BRANCH, run
from tests.git_repos import GitRepo, make_repo


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
