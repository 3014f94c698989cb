"""Whether a worktree is whole, and making it so: git can be cut off while it makes one.

`git worktree add` writes the files of a large repository for seconds. Killed meanwhile, it leaves a
directory that lacks files, and in which every missing file reads as one that somebody deleted.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.git.aside import Aside, Goal, discard, keep
from kitty_run.git.command import Git, printable
from kitty_run.git.layout import common_dir, git_dir
from kitty_run.git.locks import wait_for_git
from kitty_run.git.protocols import Repair
from kitty_run.git.provenance import SPECS
from kitty_run.git.status import status
from kitty_run.git.workspaces import trees

INITIALIZING = "initializing"
"""What git writes into `locked` until the worktree that it makes is complete."""
FEW, SHARE = 10, 50
"""So many files may always be deleted; of more, not more than that percentage of all files."""


async def make_whole(
    git: Git, root: Path, aside: Aside, *, untouched: bool, share: int = SHARE
) -> Repair | None:
    """Have the worktree of `git`, of the repository at `root`, hold every file of its commit.

    None: it was whole, or there is none. `untouched`: nobody can have worked in it yet, so that whatever
    differs from its commit was left by its making. Deletions of more than `share` percent of all files are
    put back whoever made them. What is taken away is kept under a ref first. Raises `WorkspaceError` where it
    can't be made whole, or another git is at work there.
    """
    own = _admin(git.cwd, root)
    if own is None:
        return None
    await wait_for_git(git.cwd, (own / "index.lock", *((own / "locked",) if _initializing(own) else ())))
    making = _initializing(own)
    if making and not await _has_commit(git, own):
        return _remove(git.cwd, own)
    (own / "index.lock").unlink(missing_ok=True)
    if not making and not (own / "index").exists():
        await git.run("read-tree", "HEAD")
    return await (
        _reset(git, own, aside, making=making)
        if making or untouched
        else undelete(git, aside, await git.line("rev-parse", "HEAD"), share)
    )


async def deletes_too_much(
    git: Git, before: str, after: str, share: int, owned: Sequence[str] = ()
) -> tuple[tuple[str, ...], int]:
    """The files of `before` that `after` lacks (moved ones aside), if they are too many to be meant, and how
    many files `before` has."""
    listed = ("diff-tree", "-r", "-z", "--name-only", "--find-renames", "--diff-filter=D")
    patterns = [_pattern(glob) for glob in owned if glob and not glob.startswith(("*", "?", "["))]
    found = await git.paths(*listed, before, after)
    gone = tuple(path for path in found if not any(pattern.fullmatch(path) for pattern in patterns))
    if not gone or share >= 100:
        return (), 0
    all_ = len(await git.paths("ls-tree", "-r", "-z", "--name-only", before))
    return (gone, all_) if _too_many(len(gone), all_, share) else ((), 0)


async def forget_half_made(path: Path, root: Path) -> bool:
    """Remove what git noted of a worktree at `path` that is not there; whether there was any."""
    if path.exists():
        return False
    noted = (common_dir(git_dir(root)) / "worktrees").glob("*")
    found = [own for own in noted if _initializing(own) and _leads_to(own, path)]
    for own in found:
        await wait_for_git(path, (own / "locked",))
    found = [own for own in found if _initializing(own) and not path.exists()]
    for own in found:
        shutil.rmtree(own)
    return bool(found)


def _pattern(glob: str) -> re.Pattern[str]:
    text = re.escape(glob.removeprefix("./")).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    return re.compile(text.replace(r"\?", "[^/]"), re.DOTALL)


def _too_many(gone: int, all_: int, share: int) -> bool:
    return gone == all_ or (gone > FEW and gone * 100 > all_ * share)


def _admin(worktree: Path, root: Path) -> Path | None:
    """The git directory of `worktree` if it is one of the repository at `root`, whole or not."""
    if not (worktree / ".git").is_file():
        return None
    own = git_dir(worktree)
    shared = common_dir(git_dir(root)).resolve()
    return own if own.is_dir() and own.resolve().parent == shared / "worktrees" else None


def _initializing(own: Path) -> bool:
    try:
        return (own / "locked").read_text(encoding="utf-8").strip() == INITIALIZING
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return False


def _leads_to(own: Path, path: Path) -> bool:
    try:
        return Path((own / "gitdir").read_text(encoding="utf-8").strip()) == path / ".git"
    except (OSError, UnicodeDecodeError):
        return own.name == path.name


def _only_git_file(path: Path) -> bool:
    return path.is_dir() and all(entry.name == ".git" and entry.is_file() for entry in path.iterdir())


async def _has_commit(git: Git, own: Path) -> bool:
    complete = all((own / name).is_file() for name in ("HEAD", "commondir", "gitdir"))
    return complete and await git.commit_of("HEAD") is not None


def _remove(worktree: Path, own: Path) -> Repair:
    """Remove a worktree that git had not even given a commit: it wrote no file there yet."""
    if not _only_git_file(worktree):
        raise WorkspaceError(
            f"{worktree}: git was cut off before it checked anything out there, and files of somebody else's "
            f"lie in it. Move them, remove the directory and {own}, then run again"
        )
    shutil.rmtree(worktree)
    shutil.rmtree(own)
    return Repair("git was cut off while it made this worktree", removed=True)


async def _reset(git: Git, own: Path, aside: Aside, *, making: bool) -> Repair | None:
    now = await status(git)
    if not making and not now.entries:
        return None
    why = "git was cut off while it made this worktree" if making else "left by the making of this worktree"
    async with trees.scratch_index(git, "HEAD") as scratch:
        missing = await scratch.paths("ls-files", "-z", "--deleted")
    goal = Goal(await git.line("rev-parse", "HEAD"), now.branch)
    kept = await discard(git, aside, why, goal, prefix=SPECS, deletions=False)
    await _check(git)
    (own / "locked").unlink(missing_ok=True)
    return Repair(why, restored=_shown(missing), kept=kept)


async def undelete(
    git: Git, aside: Aside, since: str, share: int, owned: Sequence[str] = ()
) -> Repair | None:
    """Put back files of the commit `since` that are deleted, if they are too many to be meant.

    Those that a pattern of `owned` covers are meant; a pattern that begins with a wildcard covers none.

    All other changes stay; commits on top of `since` that delete them are taken apart, their other changes
    are uncommitted afterwards.
    """
    now = await status(git)
    head = await git.line("rev-parse", "HEAD")
    if not now.entries and head == since:
        return None
    tree = (await trees.take(git, SPECS, now)).tree
    gone, all_ = await deletes_too_much(git, since, tree, share, owned)
    if not gone:
        return None
    why = f"{len(gone)} of {all_} files were deleted"
    kept = await keep(git, aside, why, Goal(since, now.branch), prefix=SPECS, files=gone)
    if head != since:
        await git.run("reset", "--quiet", "--soft", since)
    listed = trees.joined(gone)
    await git.run("reset", "--quiet", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=listed)
    await git.run("checkout-index", "--force", "-z", "--stdin", stdin=listed)
    return Repair(why, restored=_shown(gone), kept=kept)


async def _check(git: Git) -> None:
    gone = await git.paths("ls-files", "-z", "--deleted")
    if gone:
        raise WorkspaceError(
            f"{git.cwd}: {len(gone)} files of its commit are missing and could not be put back "
            f"({', '.join(_shown(gone[:3]))}). Look whether the disk is full, then run again"
        )


def _shown(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(printable, paths))
