"""Work that was done in a copy of a workspace is landed whole, or not at all."""

from __future__ import annotations

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.protocols import Snapshot
from kitty_run.git.workspaces.workspace import Workspace

from tests.git.workspaces.running import run
from tests.git_repos import GitRepo


@pytest.fixture
def workspace(root: GitRepo, tree: GitRepo) -> Workspace:
    return Workspace(tree.path, root.path)


def elsewhere(root: GitRepo, start: Snapshot) -> GitRepo:
    """A copy of the workspace as it was at the start, without the files that lay there uncommitted."""
    path = root.path.parent / "copy"
    root.git("worktree", "add", "-q", "--detach", str(path), start.head)
    return GitRepo(path)


def state(copy: GitRepo) -> tuple[str, str]:
    """The commit there, and the tree of all that is there."""
    head = copy.head()
    copy.git("add", "--all")
    return head, copy.git("write-tree")


def kept(root: GitRepo) -> str:
    """The one ref that keeps what was not landed."""
    [ref] = root.git("for-each-ref", "--format=%(refname)", "refs/kitty-run").splitlines()
    return ref


def test_commits_and_uncommitted_files_are_landed(root: GitRepo, tree: GitRepo, workspace: Workspace) -> None:
    tree.write("draft.txt", "from before, untracked")
    tree.write("src/app.py", "changed before\n")
    start = run(workspace.snapshot())
    copy = elsewhere(root, start)
    copy.commit("half", **{"done.txt": "committed"})
    copy.write("src/new/deep.py", "not committed")
    (copy.path / "src/app.py").unlink()
    head, brought = state(copy)
    run(workspace.land(start, head, brought))
    assert tree.head() == head == root.head("m-WP01")
    assert tree.status().splitlines() == [" D src/app.py", "?? src/new/deep.py"]
    assert tree.read("done.txt") == "committed"
    assert not (tree.path / "draft.txt").exists()  # it was sent, and is not in what came back
    assert run(workspace.snapshot()).tree == brought


def test_nothing_is_landed_over_what_somebody_did_meanwhile(
    root: GitRepo, tree: GitRepo, workspace: Workspace
) -> None:
    start = run(workspace.snapshot())
    copy = elsewhere(root, start)
    copy.write("new.txt", "x")
    tree.write("mine.txt", "a person's")
    head, brought = state(copy)
    with pytest.raises(WorkspaceError, match="the worktree was changed meanwhile"):
        run(workspace.land(start, head, brought))
    assert root.git("rev-parse", f"{kept(root)}^{{tree}}") == brought
    assert tree.status() == "?? mine.txt"
    assert tree.head() == start.head


def test_a_commit_that_does_not_descend_from_what_was_sent_is_refused(
    root: GitRepo, tree: GitRepo, workspace: Workspace
) -> None:
    older = tree.head()
    tree.commit("own work", **{"own.txt": "x"})
    start = run(workspace.snapshot())
    copy = elsewhere(root, start)
    copy.git("reset", "-q", "--hard", older)
    copy.commit("rewritten", **{"mine.txt": "x"})
    with pytest.raises(WorkspaceError, match=r"does not descend .* kept in refs/kitty-run/"):
        run(workspace.land(start, *state(copy)))
    assert root.git("show", f"{kept(root)}:mine.txt") == "x"
    assert tree.read("own.txt") == "x"
    assert tree.head() == start.head


def test_an_unfinished_merge_is_not_forgotten(root: GitRepo, tree: GitRepo, workspace: Workspace) -> None:
    root.commit("other", **{"src/app.py": "other\n"})
    tree.commit("own", **{"src/app.py": "own\n"})
    tree.git("merge", "--no-commit", "--strategy=ours", "main")
    start = run(workspace.snapshot())
    with pytest.raises(WorkspaceError, match="a merge was left unfinished"):
        run(workspace.land(start, start.head, start.tree))
    assert tree.git("rev-parse", "MERGE_HEAD") == root.head()
