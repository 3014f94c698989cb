"""A worktree, or its branch, that an agent removed: made anew from what git has, files in it kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.git.aside import Aside, folder_of
from kitty_run.git.command import Git
from kitty_run.git.layout import admin_dir, check_belongs
from kitty_run.git.workspaces.worktrees import add_worktree


async def make_anew(root: Path, path: Path, aside: Aside, branch: str | None, commit: str) -> tuple[str, ...]:
    """Have the worktree `path` and its `branch` exist, the latter at what was committed last.

    `commit` is what it is made from where nothing later is known. Returns what had been removed, in words.
    Raises `WorkspaceError` where that commit is gone too.
    """
    if path.resolve() == root.resolve():
        return ()  # the user's own checkout is never made anew
    repo, own = Git(root), admin_dir(root, path)
    gone = []
    if branch is not None and not await repo.commit_of(f"refs/heads/{branch}"):
        tip = await _last(repo, own, commit)
        await repo.run("update-ref", "-m", "kitty-run: made anew", f"refs/heads/{branch}", tip)
        gone.append(f"the branch {branch} was deleted")
    if branch is None:
        branch = await repo.branch() or "HEAD"
    if not path.is_dir():
        await add_worktree(repo, path, branch, commit)
        gone.append(f"the directory {path} was removed")
    elif not _belongs(path, root):
        moved = _move_repository(path, folder_of(root), aside, commit)
        if own is None:
            await _register(repo, path, branch)
        else:
            (path / ".git").write_bytes(os.fsencode(f"gitdir: {own.resolve()}\n"))
        gone.append(f"its .git was {f'replaced; what it was is in {moved}' if moved else 'removed'}")
    return tuple(gone)


def _belongs(path: Path, root: Path) -> bool:
    try:
        check_belongs(path, root)
    except WorkspaceError:
        return False
    return True


async def _last(repo: Git, own: Path | None, commit: str) -> str:
    """The last commit that was checked out there, by git's own log of it, if it contains `commit`."""
    log = None if own is None else own / "logs" / "HEAD"
    if log is not None and log.is_file():
        last = log.read_text(encoding="utf-8", errors="replace").rstrip("\n").rpartition("\n")[2].split(" ")
        if len(last) > 1 and await repo.contains(last[1], commit):
            return last[1]
    if not await repo.commit_of(commit):
        raise WorkspaceError(
            f"{repo.cwd}: the commit {commit} that the work began on is gone from the repository. "
            "`git fsck --lost-found` there lists what is left"
        )
    return commit


def _move_repository(path: Path, folder: Path, aside: Aside, commit: str) -> Path | None:
    """Move a `.git` that leads elsewhere out of the way; returns where to."""
    entry = path / ".git"
    if not (entry.exists() or entry.is_symlink()):
        return None
    target = folder / f"{aside.name(commit)}-dot-git"
    while target.exists():
        target = target.with_name(f"{target.name}-1")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(entry, target)
    return target


async def _register(repo: Git, path: Path, branch: str) -> None:
    """Have git know a directory again whose notes were pruned, without touching the files in it."""
    apart = path.with_name(f"{path.name}.files")
    path.rename(apart)
    try:
        await repo.run("worktree", "add", "--quiet", "--force", "--no-checkout", str(path), branch)
        shutil.move(path / ".git", apart / ".git")
        path.rmdir()
    finally:
        if not path.exists():
            apart.rename(path)
    await Git(path, rooted=True, root=repo.cwd).run("read-tree", "HEAD")
