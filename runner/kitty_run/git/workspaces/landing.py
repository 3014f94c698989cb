"""Work that was done in a copy of a worktree, brought as git objects: landed whole, or kept aside."""

from __future__ import annotations

from kitty_run.errors import WorkspaceError
from kitty_run.git.aside import Aside, keep_commit
from kitty_run.git.command import Git
from kitty_run.git.layout import under_way
from kitty_run.git.locks import clear_stale_locks
from kitty_run.git.protocols import Snapshot
from kitty_run.git.workspaces import trees


async def land(git: Git, aside: Aside, since: Snapshot, now: Snapshot, brought: tuple[str, str]) -> None:
    """Have the worktree, which was sent as it was in `since` and is `now`, hold what was `brought`: a commit,
    checked out on the same branch, and the files of a tree.

    Raises `WorkspaceError` where it is not as it was sent any more, an operation of git's is under way there,
    or the commit does not descend from what was sent. The worktree is left alone then, and what was brought
    is kept aside.
    """
    head, tree = brought
    if (refusal := await _refusal(git, since, now, head)) is not None:
        commit = await git.commit_tree(tree, [head], "kitty-run: work that was not landed")
        kept = await keep_commit(git, aside, commit, f"work that was not landed, since {refusal}")
        raise WorkspaceError(
            f"{git.cwd}: what was done in a copy of it was not landed: {refusal}. It is kept in {kept.ref}: "
            f"see git log -p {since.head[:12]}..{kept.ref}"
        )
    await clear_stale_locks(git, now.branch)
    # Files before the branch: where this is cut off, what there is counts as not committed.
    await trees.put_back(git, tree, await trees.changed(git, since.tree, tree))
    await git.run("update-ref", "-m", "kitty-run: land work", "HEAD", head, since.head)
    await git.run("reset", "--quiet")


async def _refusal(git: Git, since: Snapshot, now: Snapshot, head: str) -> str | None:
    if (now.head, now.branch, now.tree) != (since.head, since.branch, since.tree):
        return "the worktree was changed meanwhile"
    if not await git.contains(head, since.head):
        return f"the commit {head[:12]} does not descend from {since.head[:12]}, which was sent"
    if operations := under_way(git.cwd):
        return f"a {operations[0]} was left unfinished in the worktree"
    return None
