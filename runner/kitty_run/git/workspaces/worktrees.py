"""Making a work package's worktree where that is the runner's to do, dependencies' branches merged in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.git.command import Git, printable

Undo = Callable[[bool], Awaitable[None]]
"""Undoes the merge under way; called with whether anybody may have worked on it, who then loses nothing."""


class WorkspaceConflict(WorkspaceError):
    """Dependencies' branches don't merge with one another: a person must merge them first."""

    def __init__(self, message: str, branch: str, files: Sequence[str]) -> None:
        super().__init__(message)
        self.branch = branch
        self.files = tuple(files)


@dataclass(frozen=True, slots=True)
class Worktree:
    """A worktree as git lists it; `branch` None is a detached HEAD, `head` None a branch without commit."""

    path: Path
    head: str | None
    branch: str | None


async def list_worktrees(git: Git) -> tuple[Worktree, ...]:
    """The repository's worktrees, the main one first."""
    blocks = (await git.run("worktree", "list", "--porcelain")).strip().split("\n\n")
    return tuple(_parse(block) for block in blocks)


async def add_worktree(repo: Git, path: Path, branch: str, base: str) -> None:
    """A worktree at `path` on `branch`, which starts at `base` if it does not exist yet.

    One that is there already is left as it is; a registered one whose directory is gone is made again
    from its branch. Raises `WorkspaceError`.
    """
    known = {worktree.path: worktree for worktree in await list_worktrees(repo)}
    present = path.exists() or path.is_symlink()
    if path in known and present:
        return
    if present and (path.is_symlink() or not path.is_dir() or any(path.iterdir())):
        raise WorkspaceError(
            f"{path} is in the way: it is no worktree of this repository. Move it, run again"
        )
    if path in known:
        await repo.run("worktree", "remove", "--force", "--force", str(path))
    if await repo.commit_of(f"refs/heads/{branch}"):
        await repo.run("worktree", "add", "--quiet", str(path), branch)
    else:
        await repo.run("worktree", "add", "--quiet", "--no-track", "-b", branch, str(path), base)


async def merge_branches(git: Git, branches: Sequence[str], undo: Undo) -> None:
    """Merge each branch that isn't contained yet; raises `WorkspaceConflict` with the merge undone."""
    await _abandon_merge_of(git, branches, undo)
    for branch in branches:
        if await git.contains("HEAD", branch):
            continue
        message = f"Merge {branch}"
        options = ("--no-edit", "--no-ff", "--no-verify", "--no-stat", "-m", message)
        reply = await git.call(*await git.identity(), "merge", *options, branch)
        if reply.status == 0:
            continue
        conflicting = await git.paths("diff", "--name-only", "--diff-filter=U", "-z")
        files = [printable(path) for path in conflicting]
        if await git.commit_of("MERGE_HEAD"):
            await undo(False)
        if not files:
            raise git.refused(("merge", branch), reply)
        raise WorkspaceConflict(
            f"{git.cwd}: {branch} conflicts with what is already merged, in {', '.join(files)}. Merge it "
            "there by hand, commit, and run again",
            branch,
            files,
        )


async def _abandon_merge_of(git: Git, branches: Sequence[str], undo: Undo) -> None:
    """Undo a merge of one of `branches` that an earlier run was killed in; any other one is not ours."""
    if not branches:
        return
    pending = await git.commit_of("MERGE_HEAD")
    tips = (await git.run("rev-parse", *branches)).split()
    if pending in tips:
        await undo(True)


def _parse(block: str) -> Worktree:
    fields = dict(line.partition(" ")[::2] for line in block.splitlines())
    branch = fields.get("branch")
    head = fields.get("HEAD")
    return Worktree(
        Path(fields["worktree"]),
        None if head is None or not head.strip("0") else head,
        branch.removeprefix("refs/heads/") if branch else None,
    )
