"""Whole states of a worktree as git trees: taken without touching it, compared, and put back in part."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from kitty_run.errors import WorkspaceError
from kitty_run.git.command import Git
from kitty_run.git.guard.nested import recorded_links, refuse_armed
from kitty_run.git.layout import git_dir
from kitty_run.git.status import UNBORN, Status
from kitty_run.git.workspaces import content, sizes
from kitty_run.machine import fault_of

CACHES = frozenset(
    {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".nox", ".gradle", "node_modules"}
)
"""Directories of files that tools make anew; nothing of them is kept when it is discarded."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The state of a worktree. Of its `unread` files, which are too large for git, `tree` has at most size
    and time."""

    tree: str
    unread: tuple[str, ...] = ()


async def linked(git: Git) -> tuple[str, ...]:
    """Git repositories inside the worktree that are recorded as a link, and unknown to `.gitmodules`."""
    recorded = await recorded_links(git)
    if not recorded:
        return ()
    modules = await git.call("config", "-z", "-f", ".gitmodules", "--get-regexp", r"\.path$")
    known = {item.partition("\n")[2] for item in modules.stdout.split("\0")}
    return tuple(p for p in recorded if p not in known and (git.cwd / p / ".git").exists())


@asynccontextmanager
async def scratch_index(git: Git, tree: str | None = None) -> AsyncIterator[Git]:
    """`git` with an index file of its own, thrown away at the end: a copy of the real one, or of `tree`."""
    index = git_dir(git.cwd) / "index"
    with tempfile.TemporaryDirectory(prefix="kitty-run-index-") as folder:
        scratch = replace(git, extra={**git.extra, "GIT_INDEX_FILE": str(Path(folder) / "index")})
        if tree is not None:
            await scratch.run("read-tree", tree)
        elif index.exists():
            shutil.copyfile(index, Path(folder) / "index")
        yield scratch


async def take(git: Git, prefix: str, now: Status, left_out: Collection[str] = ()) -> Taken:
    """The tree of all that the worktree holds but ignored files; below `prefix` those too.

    Git repositories of their own are left out, as is what is at or below `left_out`. `now` is the worktree's
    status. Nothing in it or in its index changes.
    """
    hidden = await ignored(git, prefix)
    if not now.entries and not hidden and now.head != UNBORN:
        return Taken(await git.line("rev-parse", "--verify", f"{now.head}^{{tree}}"))
    dirty = {path for path in now.dirty if not is_below(path, left_out)}
    unread = await _too_large(git, {*dirty, *hidden} - {*now.repositories})
    async with scratch_index(git) as scratch:
        inside = [path for path in hidden if path not in unread]
        await _add(scratch, [*now.repositories, *unread], inside, never=left_out)
        await content.add_markers(scratch, unread)
        return Taken(await scratch.line("write-tree"), unread)


async def take_whole(git: Git, prefix: str, now: Status, *, deletions: bool) -> Taken:
    """The same, with the files of git repositories of their own, and without caches that are not committed.

    Without `deletions`, files that are missing in the worktree are as HEAD has them.
    """
    hidden = await ignored(git, prefix)
    links = await linked(git)
    inner = {*now.repositories, *links}
    caches = {entry.path for entry in now.entries if entry.untracked and is_cache(entry.path)}
    unread = await _too_large(git, {*now.dirty, *hidden, *inner} - caches)
    async with scratch_index(git, None if deletions else "HEAD") as scratch:
        if links:  # else git would look into them, as their own settings say
            await scratch.run("update-index", "--force-remove", "-z", "--stdin", stdin=joined(links))
        left_out = [*inner, *caches, *unread]
        await _add(scratch, left_out, [path for path in hidden if path not in unread], deletions=deletions)
        await content.add_repositories(scratch, [path for path in inner if path not in unread])
        return Taken(await scratch.line("write-tree"), unread)


async def _too_large(git: Git, paths: Iterable[str]) -> tuple[str, ...]:
    measured = await asyncio.to_thread(sizes.measure, git.cwd, dict.fromkeys(paths, 0))
    return tuple(sorted(sizes.beyond(measured)))


async def _add(
    scratch: Git,
    left_out: Sequence[str],
    hidden: Sequence[str],
    *,
    deletions: bool = True,
    never: Collection[str] = (),
) -> None:
    """Put everything into the index but what is `left_out`, and the ignored files `hidden`.

    `never` is left out too; git may ignore it, or begin to meanwhile.
    """
    options = (
        "--all" if deletions else "--no-all",
        "--sparse",
        "--pathspec-from-file=-",
        "--pathspec-file-nul",
    )
    where = [".", *(f":(top,exclude,literal){path.rstrip('/')}" for path in left_out)]
    where += [f":(top,exclude,glob){pattern}{end}" for pattern in map(_pattern, never) for end in ("", "/**")]
    await refuse_armed(scratch)
    await scratch.run("add", *options, stdin=joined(where))
    if hidden:
        await scratch.run("update-index", "--add", "-z", "--stdin", stdin=joined(hidden))


def _pattern(path: str) -> str:
    """A glob pattern of just `path`: of one without anything to be escaped git complains if it is ignored."""
    path = path.rstrip("/")
    return f"\\{path[0]}" + re.sub(r"([\\*?\[])", r"\\\1", path[1:])


async def empty_tree(git: Git) -> str:
    """The tree without files."""
    return (await git.run("hash-object", "-t", "tree", "--stdin", stdin="")).strip()


def is_cache(path: str) -> bool:
    """Whether tools make `path` anew whenever they need it."""
    return not CACHES.isdisjoint(path.split("/")[:-1]) or path.endswith(".pyc")


def is_below(path: str, places: Collection[str]) -> bool:
    """Whether `path` is one of `places`, or below one; a directory may have a slash at its end."""
    above = (parent.as_posix() for parent in (PurePosixPath(path), *PurePosixPath(path).parents))
    return any(one in places or f"{one}/" in places for one in above)


def joined(paths: Iterable[str]) -> str:
    """`paths` as git reads them with `-z`."""
    return "".join(f"{path}\0" for path in paths)


async def ignored(git: Git, prefix: str) -> tuple[str, ...]:
    """The ignored files at or below `prefix`; git repositories of their own are left out."""
    if not os.path.lexists(git.cwd / prefix):
        return ()
    listed = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard")
    found = await git.paths(*listed, "--", f":(top,literal){prefix}")
    return tuple(path for path in found if not path.endswith("/"))


async def changed(git: Git, before: str, after: str, prefix: str | None = None) -> tuple[str, ...]:
    """Paths that differ between two trees or commits, below `prefix` (or that path itself) if given.

    `UNBORN` is a commit without files.
    """
    if before == after:
        return ()
    if UNBORN in {before, after}:
        empty = await empty_tree(git)
        before, after = (empty if one == UNBORN else one for one in (before, after))
    where = ("--", f":(top,literal){prefix}") if prefix else ()
    return await git.paths("diff-tree", "-r", "-z", "--no-renames", "--name-only", before, after, *where)


async def put_back(git: Git, tree: str, paths: Iterable[str]) -> None:
    """Make `paths` in the worktree what they are in `tree`: written, or removed where `tree` has none."""
    async with scratch_index(git, tree) as scratch:
        known = set(await scratch.paths("ls-files", "-z"))
        wanted = tuple(paths)
        for path in wanted:
            if path not in known:
                _remove(git.cwd, path)
        present = [path for path in wanted if path in known]
        for path in present:
            _clear_way(git.cwd, path)
        await scratch.run("checkout-index", "-f", "-z", "--stdin", stdin=joined(present))


def _remove(root: Path, path: str) -> None:
    """Remove a file or symbolic link, and the directories that this empties."""
    target = root / path
    try:
        target.unlink(missing_ok=True)
        for parent in target.relative_to(root).parents[:-1]:
            (root / parent).rmdir()
    except NotADirectoryError:
        return
    except OSError as error:
        if fault := fault_of(error, target):
            raise fault from error
        if target.is_symlink() or target.exists():
            raise WorkspaceError(f"{target} can't be removed: {error}") from error


def _clear_way(root: Path, path: str) -> None:
    """Remove what is where a directory on the way to `path` must be: a file or a symbolic link."""
    for parent in reversed(Path(path).parents[:-1]):
        place = root / parent
        if place.is_symlink() or place.is_file():
            place.unlink()
