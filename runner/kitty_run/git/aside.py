"""Keeping what is about to be taken out of a worktree: a commit under a ref of its own.

Whatever the runner discards goes through `keep` first, so that nothing an agent wrote is ever gone.
"""

from __future__ import annotations

from kitty_run.git.command import Git, printable
from kitty_run.git.protocols import Kept
from kitty_run.git.workspaces import trees

ASIDE = "refs/kitty-run/aside"


async def keep(git: Git, tree: str, why: str) -> Kept | None:
    """Keep `tree` as a commit on top of HEAD under `refs/kitty-run/aside/…`; None: it is HEAD's own tree."""
    files = await trees.changed(git, "HEAD", tree)
    if not files:
        return None
    identity = await git.identity()
    commit = await git.line(*identity, "commit-tree", tree, "-p", "HEAD", "-m", f"kitty-run: {why}")
    return await keep_commit(git, commit, why, files)


async def keep_commit(git: Git, commit: str, why: str, files: tuple[str, ...]) -> Kept:
    """Keep `commit`, which changes `files`, under a ref named after the worktree and the commit."""
    ref = f"{ASIDE}/{git.cwd.name}/{commit[:12]}"
    await git.run("update-ref", "-m", "kitty-run: keep", ref, commit)
    return Kept(ref, commit, tuple(map(printable, files)), why)
