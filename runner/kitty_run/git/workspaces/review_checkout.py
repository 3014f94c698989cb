"""A reviewer's own checkout: a worktree apart that holds the reviewed commit, and nothing besides.

Ignored files of the implementer's worktree (dependencies, build output, `.env`, instructions for agents that
`.git/info/exclude` hides) and what its index hides from `git status` could have a reviewer judge something
else than what is merged. They stay where they are, for the next round of rework.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Literal

from kitty_run.errors import WorkspaceError
from kitty_run.git.aside import Aside, folder_of, keep_commit
from kitty_run.git.command import Git
from kitty_run.git.layout import admin_dir, check_belongs, linked_worktrees
from kitty_run.git.locks import wait_for_git

FOLDER = Path(".worktrees", "kitty-run-review")
"""Below the root checkout. Hosts look at what is right below `.worktrees` and is a worktree."""


def place_of(root: Path, workspace: Path) -> Path:
    """Where what is worked on in `workspace` is reviewed: always the same place, as agents remember it."""
    return root / FOLDER / f"review-{workspace.name}"  # git names what it notes of it by this


async def make(root: Path, path: Path, aside: Aside, commit: str) -> None:
    """Have the worktree `path` hold `commit`, with no branch checked out. There is none yet."""
    for folder in (root / FOLDER.parent, path.parent, path):
        if folder.is_symlink() or (folder == path and os.path.lexists(path)):
            _move(root, folder, aside, commit)  # a link would have the files written elsewhere
    await Git(root).run("worktree", "add", "--quiet", "--detach", "--force", str(path), commit)


def exists(root: Path, path: Path) -> bool:
    """Whether there is anything at `path`, or git knows a worktree there."""
    return os.path.lexists(path) or path in linked_worktrees(root)


async def look(root: Path, path: Path) -> Literal["whole", "half made", "strange"]:
    """What is at `path`, once no git of a killed run is at work there any more.

    strange: no worktree of the repository at `root`, or one of which a part is missing.
    """
    own = admin_dir(root, path)
    if own is None:
        return "strange"
    await wait_for_git(path, (own / "locked", own / "index.lock"))
    if (own / "locked").exists():
        return "half made"
    with suppress(WorkspaceError):
        check_belongs(path, root)
        return "whole" if (own / "index").exists() else "strange"
    return "strange"


async def move_away(root: Path, path: Path, aside: Aside, commit: str, why: str) -> None:
    """Move what is at `path` out of the way, and record where to."""
    moved = _move(root, path, aside, commit)
    await keep_commit(Git(root), aside, commit, f"{why}; it was no worktree any more, and is in {moved} now")


async def remove(root: Path, path: Path, aside: Aside, commit: str) -> None:
    """Remove the worktree `path`; what of it can't be removed is moved away."""
    repo = Git(root)
    drop = ("worktree", "remove", "--force", "--force", str(path))
    if not await repo.ok(*drop) and os.path.lexists(path):
        _move(root, path, aside, commit)
    if path in linked_worktrees(root):
        await repo.run(*drop)
    with suppress(OSError):  # others are reviewed
        path.parent.rmdir()


def _move(root: Path, path: Path, aside: Aside, commit: str) -> Path:
    """Move it to where the repository keeps what git can't; nothing is removed."""
    target = folder_of(root) / f"{aside.name(commit)}-{path.name}"
    while os.path.lexists(target):
        target = target.with_name(f"{target.name}-1")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_symlink():
            path.chmod(0o700)
        shutil.move(path, target)
    except OSError as error:
        raise WorkspaceError(f"{path} can't be moved to {target}: {error.strerror}") from error
    return target
