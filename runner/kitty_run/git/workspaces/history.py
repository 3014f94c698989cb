"""An attempt that rewrote commits which others know: found at its end, before anything is handed in."""

from __future__ import annotations

from dataclasses import dataclass

from kitty_run.git.aside import Aside, Goal, discard, keep
from kitty_run.git.command import Git
from kitty_run.git.layout import under_way
from kitty_run.git.protocols import Snapshot
from kitty_run.git.provenance import SPECS
from kitty_run.git.workspaces.worktrees import list_worktrees


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Commits that the attempt began on are not below its own any more.

    `joined`: its work is on top of them again, uncommitted. Else the workspace is back at them.
    """

    what: str
    ref: str
    joined: bool


async def rejoin(git: Git, aside: Aside, since: Snapshot, branch: str, base: str) -> Rewritten | None:
    """Have the branch contain the commit of `since` again; None: nothing was rewritten.

    Where the new commits are the attempt's own, what they come to is kept on top of that commit. Where they
    come from elsewhere, or the branch was reset below `base`, it may undo what others
    did, and the workspace is put back.
    """
    if "rebase" in under_way(git.cwd):
        return None  # half of it is not there yet; `ensure_branch` refuses it
    head, tip = await git.commit_of("HEAD"), await git.commit_of(f"refs/heads/{branch}")
    if head is not None and await git.contains(head, since.head):
        return None
    if tip is not None and head is not None and await _both(git, tip, since.head, head):
        return None  # it only lies behind, and `ensure_branch` brings it there
    what = await _cause(git, head, since, base, {branch, await git.branch() or ""})
    goal = Goal(since.head, branch)
    if what.astray:
        kept = await discard(git, aside, what.text, goal, prefix=SPECS)
        return Rewritten(what.text, kept.ref if kept else "", joined=False)
    kept = await keep(git, aside, what.text, goal, prefix=SPECS)
    await git.run("symbolic-ref", "-m", f"kitty-run: back to {branch}", "HEAD", f"refs/heads/{branch}")
    await git.run("update-ref", "-m", "kitty-run: put back", f"refs/heads/{branch}", since.head)
    return Rewritten(what.text, kept.ref if kept else "", joined=True)


@dataclass(frozen=True, slots=True)
class _Cause:
    text: str
    astray: bool = False


async def _cause(git: Git, head: str | None, since: Snapshot, base: str, own: set[str]) -> _Cause:
    short = since.head[:10]
    if head is None:
        return _Cause(f"it checked out a branch without commits in the place of {short}")
    if await git.contains(since.head, head):
        below = not await git.contains(head, base)
        text = f"it reset its branch from {short} to {head[:10]}"
        return (
            _Cause(f"{text}, below what the work package started from", astray=True)
            if below
            else _Cause(text)
        )
    others = [one.branch for one in await list_worktrees(git) if one.branch and one.branch not in own]
    fresh = await git.line("rev-list", "--count", head, f"^{since.head}")
    alone = await git.line(
        "rev-list",
        "--count",
        head,
        f"^{since.head}",
        *(f"^refs/heads/{name}" for name in others),
        "--not",
        "--remotes",
    )
    if fresh != alone:
        return _Cause(
            f"it checked out {head[:10]}, which has commits of other branches, and not {short}", True
        )
    if (await git.call("merge-base", head, since.head)).status != 0:
        return _Cause(f"it began a history of its own ({head[:10]}), which {short} is no part of")
    return _Cause(f"it rewrote {short} as {head[:10]}")


async def _both(git: Git, tip: str, *commits: str) -> bool:
    return all([await git.contains(tip, commit) for commit in commits])
