"""The root checkout at one moment: its branch, a git at work there, what is uncommitted or half merged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RootState:
    """The root checkout at one moment: its branch (None: detached), and the index lock that a git holds in
    the worktree that was asked about, with when it was made. `begun` is git's word for what a person has
    under way at the root, such as `merge` or `bisect`; None: nothing."""

    branch: str | None
    lock: Path | None = None
    since: datetime | None = None
    begun: str | None = None


@dataclass(frozen=True, slots=True)
class Dirt:
    """Paths of the root checkout with uncommitted changes: in the index, beside it, and untracked ones that
    are not ignored."""

    staged: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AbortedMerge:
    """A merge at the root that was undone: the commit to be merged in, and the files in conflict."""

    commit: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """What came of bringing a commit onto the root's branch.

    `commit` is the branch's new commit, None: it had all of it already, or nothing was changed since files
    are in conflict (`conflicts`), or something at the root is `in_the_way`, in git's words.
    """

    commit: str | None = None
    conflicts: tuple[str, ...] = ()
    in_the_way: str = ""
