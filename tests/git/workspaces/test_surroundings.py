"""A user's settings, odd names, and a git that is cancelled at any moment."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from kitty_run.git.command import Git
from kitty_run.git.repository import Repository
from kitty_run.git.workspaces.workspace import Workspace
from kitty_run.profile.review_diff import GENERATED

from tests.git.workspaces.running import BRANCH, run
from tests.git_repos import GitRepo

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
