"""Where git keeps what belongs to one worktree, read without a call as `gitrepository-layout` has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.machine import fault_of


def git_dir(worktree: Path) -> Path:
    """The git directory of `worktree` alone: its index, its HEAD, its operations under way."""
    entry = worktree / ".git"
    if entry.is_dir():
        return entry
    return worktree / _read(entry).removeprefix("gitdir:").strip()


def common_dir(directory: Path) -> Path:
    """What a worktree whose git directory is `directory` shares with the others: branches, configuration."""
    file = directory / "commondir"
    return directory / _read(file).strip() if file.exists() else directory


def checked_out(worktree: Path) -> str | None:
    """The branch that `worktree` has checked out; None where it is detached, or only git itself knows."""
    words = _read(git_dir(worktree) / "HEAD").strip()
    branch = words.removeprefix("ref: refs/heads/")
    return None if branch in {words, ".invalid"} else branch  # `.invalid`: refs are not kept in files


UNFINISHED = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}
"""What is in a worktree's git directory while an operation is under way."""


BISECT = "BISECT_LOG"
"""The same of `git bisect`, which only moves HEAD."""


def begun(worktree: Path) -> str | None:
    """Git's word for what a person began in `worktree` and did not end yet: `merge`, `bisect` and so on."""
    folder = git_dir(worktree)
    if (folder / "rebase-apply" / "applying").exists():
        return "am"
    return next(iter(under_way(worktree)), "bisect" if (folder / BISECT).exists() else None)


def under_way(worktree: Path) -> tuple[str, ...]:
    """The git operations that were begun and not ended in `worktree`."""
    folder = git_dir(worktree)
    return tuple(dict.fromkeys(word for name, word in UNFINISHED.items() if (folder / name).exists()))


def check_belongs(worktree: Path, root: Path) -> None:
    """Raise `WorkspaceError` where `worktree` is no linked worktree of the repository at `root`.

    An agent can write its worktree's `.git` file. Led elsewhere by it, git would commit to another
    repository, and run what the configuration there says.
    """
    own, shared = git_dir(worktree).resolve(), common_dir(git_dir(root)).resolve()
    if own.parent != shared / "worktrees" or common_dir(own).resolve() != shared:
        raise WorkspaceError(
            f"{worktree}: its .git leads to {own}, which is no worktree of {root}: an agent may have changed "
            "it. Its other files are untouched. Remove that .git, and `git worktree repair` at the root "
            "checkout creates it again; then run again"
        )


def linked_worktrees(root: Path) -> tuple[Path, ...]:
    """The places of all linked worktrees that the repository at `root` knows, there or not."""
    return tuple(entry.parent for _, entry in _entries(root))


def admin_dir(root: Path, path: Path) -> Path | None:
    """The directory that git has at `root` for the linked worktree `path`; None where it knows none."""
    return next((own for own, entry in _entries(root) if entry == path / ".git"), None)


def _entries(root: Path) -> Iterator[tuple[Path, Path]]:
    """Of each linked worktree its own git directory, and the `.git` file that this leads to."""
    for file in sorted((common_dir(git_dir(root)) / "worktrees").glob("*/gitdir")):
        with suppress(OSError):  # it is being removed just now
            yield file.parent, Path(os.fsdecode(file.read_bytes()).strip())


def missing(worktree: Path) -> WorkspaceError | None:
    """The error for a worktree that is gone, or whose `.git` file is; None where both are there."""
    if not worktree.is_dir():
        return WorkspaceError(
            f"{worktree}: the directory is gone; what was committed is still on its branch. "
            "Run again to have it created again"
        )
    if not (worktree / ".git").exists():
        return WorkspaceError(
            f"{worktree}: its .git file is gone; its other files are untouched. "
            "`git worktree repair` at the root checkout brings it back; then run again"
        )
    return None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        if fault := fault_of(error, file):
            raise fault from error
        raise missing(file.parent) or WorkspaceError(f"{file} can't be read: {error.strerror}") from error
