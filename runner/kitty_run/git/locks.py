"""Lock files that a killed git left in a worktree, removed only where no living git can hold them."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.git.command import Git
from kitty_run.git.layout import common_dir, git_dir

LOCKS = ("index.lock", "HEAD.lock")
"""Those of one worktree alone; locks of the shared repository may be anybody's and are left alone."""

PATIENCE, POLL = 60.0, 0.25
"""Seconds to wait for a git that is still at work, and between two looks."""
BRIEF = 3.0
"""Seconds within which a lock of the root checkout is an ordinary one, such as an editor's."""


def index_lock(worktree: Path) -> tuple[Path, datetime] | None:
    """The lock of the index of `worktree`, and since when it is there; None: no git changes it now."""
    lock = git_dir(worktree) / "index.lock"
    try:
        return lock, datetime.fromtimestamp(lock.lstat().st_mtime).astimezone()
    except FileNotFoundError:
        return None


async def clear_stale_locks(git: Git, branch: str | None) -> None:
    """Remove the locks of this worktree and of its branch; raises `WorkspaceError` if a git still runs."""
    own = git_dir(git.cwd)
    paths = [own / name for name in LOCKS]
    if branch:
        paths.append(common_dir(own) / "refs" / "heads" / f"{branch}.lock")
    locks = [path for path in paths if path.exists()]
    if not locks:
        return
    await wait_for_git(git.cwd, locks, patience=0)
    for lock in locks:
        lock.unlink(missing_ok=True)


async def clear_root_lock(root: Path, killed: tuple[float, float] | None) -> Path | None:
    """Remove the index lock of the root checkout that a killed run's git left; None: there was none.

    `killed` is when that run began, and when its last git must have ended (both since the epoch). Raises
    `WorkspaceError` for a lock from another time, and for one that a process still holds.
    """
    lock = git_dir(root) / "index.lock"
    for _ in range(round(BRIEF / POLL)):
        if not lock.exists():
            return None
        await asyncio.sleep(POLL)
    await wait_for_git(root, [lock])
    try:
        made = lock.lstat().st_mtime
    except FileNotFoundError:
        return None
    if killed is not None and killed[0] <= made <= killed[1]:
        lock.unlink(missing_ok=True)
        return lock
    since = datetime.fromtimestamp(made).astimezone().isoformat(" ", "seconds")
    raise WorkspaceError(
        f"{lock} is there since {since}, so that git can change nothing at the root checkout. "
        "No process here has it open, and no run of kitty-run's was killed then. Make sure that no git works "
        "there, also on other machines that share the directory (here: `ps -ef | grep '[g]it'`), then "
        f"`rm {shlex.quote(str(lock))}` and run again"
    )


async def wait_for_git(worktree: Path, locks: Sequence[Path], patience: float = PATIENCE) -> None:
    """Wait until no living process holds one of `locks`: a host that was killed may leave its git at work.

    Raises `WorkspaceError` naming the process if that takes too long.
    """
    for left in range(round(patience / POLL), -1, -1):
        held = [lock for lock in locks if lock.exists()]
        holder = await asyncio.to_thread(_holder, worktree, held) if held else None
        if holder is None:
            return
        if left:
            await asyncio.sleep(POLL)
    raise WorkspaceError(
        f"{worktree}: process {holder} still runs git there and holds {held[0]}; wait for it or end it "
        f"(kill {holder}), then run again"
    )


def _holder(worktree: Path, locks: Sequence[Path]) -> int | None:
    """The pid of a git process that works in `worktree`, or of any process that has one of `locks` open."""
    import psutil

    held = {str(lock.resolve()) for lock in locks}
    for process in psutil.process_iter(["pid", "name", "cwd", "cmdline"]):
        info = process.info
        if (info["name"] or "").startswith("git") and _concerns(worktree, info["cwd"], info["cmdline"] or []):
            return int(info["pid"])
        try:
            if held & {opened.path for opened in process.open_files()}:
                return int(info["pid"])
        except psutil.Error:
            continue
    return None


def _concerns(worktree: Path, cwd: str | None, cmdline: Sequence[str]) -> bool:
    inside = cwd is not None and Path(cwd).is_relative_to(worktree)
    return inside or any(str(worktree) in argument for argument in cmdline)
