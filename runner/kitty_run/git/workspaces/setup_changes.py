"""What the setup of a worktree changes there: kept apart from the work of agents, which comes after it.

Files that git tracks are put back to what they were. What is new, and not ignored, stays: git is not to see
it from then on. Where an agent changes such a file, that is its work, and git is shown it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kitty_run.git.command import Git, printable
from kitty_run.git.guard.excluded import EXCLUDE, without_paths
from kitty_run.git.guard.nested import refuse_armed
from kitty_run.git.layout import common_dir, git_dir, under_way
from kitty_run.git.locks import clear_stale_locks
from kitty_run.git.protocols import Snapshot
from kitty_run.git.provenance import SPECS
from kitty_run.git.status import Status, status
from kitty_run.git.workspaces import trees
from kitty_run.git.workspaces.fingerprint import fingerprint

RULES = frozenset({".gitignore", ".gitattributes"})
"""Files that say what git sees of others: left beside files of agents, they would hide their work."""
MOST = 200
"""Single files that a setup may leave without being ignored; whole directories don't count."""


@dataclass(frozen=True, slots=True)
class Before:
    """A worktree before its setup: at `commit` on `branch`, with all that is in the git tree `tree`.

    `untracked` are the files that git would show as new if no setup hid them, `hidden` what it ignores,
    `staged` what its index has changed, `under_way` operations of git's that somebody left unfinished.
    """

    commit: str
    branch: str | None
    tree: str
    untracked: frozenset[str]
    hidden: frozenset[str]
    staged: frozenset[str]
    under_way: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a setup did: `put_back` are files that are as before again.

    `left` are new paths that git is not to see, each with its fingerprint; a directory, which has a slash at
    its end, has none. `made` is all that is new, ignored paths included. `strange` are new files of names
    that git can't be told to leave out, new `RULES`, and those beyond `MOST`.
    """

    put_back: tuple[str, ...]
    left: Mapping[str, str]
    made: tuple[str, ...]
    strange: tuple[str, ...] = ()


async def look(git: Git, commit: str, branch: str | None, tree: str) -> Before:
    """The worktree, which is as a snapshot of it says, before its setup."""
    now = await status(git)
    return Before(
        commit, branch, tree, await _new(git), await _ignored(git), _staged(now), under_way(git.cwd)
    )


async def settle(git: Git, before: Before) -> Changes:
    """Have the worktree as it was `before`, but for what is new and untracked there."""
    await clear_stale_locks(git, before.branch)
    await _back_to_its_commit(git, before)
    now = await status(git)
    if staged := _staged(now) - before.staged:
        await git.run("reset", "--quiet", *_FROM_STDIN, stdin=trees.joined(_literal(staged)))
        now = await status(git)
    new = await _collapsed(git, await _new(git) - before.untracked, before.untracked)
    taken = await trees.take(git, SPECS, now, new)
    changed = [path for path in await trees.changed(git, before.tree, taken.tree) if path not in taken.unread]
    await trees.put_back(git, before.tree, changed)
    if changed:  # what is ignored may be another thing now
        new = await _collapsed(git, await _new(git) - before.untracked, before.untracked)
    ignored = await _ignored(git) - before.hidden
    strange = [path for path in (*new, *sorted(ignored)) if path.rpartition("/")[2] in RULES]
    strange += [path for path in new if "\n" in path and path not in strange]
    strange += [path for path in new if path not in strange and not path.endswith("/")][MOST:]
    left = {path: _known(git, path) for path in new if path not in strange}
    made = (*ignored, *left)
    return Changes(tuple(map(printable, changed)), left, tuple(sorted(made)), tuple(map(printable, strange)))


async def separate(
    git: Git, since: Snapshot, left: Mapping[str, str], private: Collection[str]
) -> tuple[str, ...]:
    """After an attempt that began at `since`: have git see what it changed of `left`, and nothing `private`.

    Commits that contain what is private are taken apart: their other changes are uncommitted afterwards.
    Returns private paths that git shows nevertheless.
    """
    await _take_out(git, since, private)
    changed = await asyncio.to_thread(_changed, git, left)
    if visible := [path for path in changed if not trees.is_below(path, private)]:
        await refuse_armed(git)
        await git.run("add", "--force", "--sparse", *_FROM_STDIN, stdin=trees.joined(_literal(visible)))
    shown = (await status(git)).dirty if private else ()
    return tuple(printable(path) for path in shown if trees.is_below(path, private))


async def tracked(git: Git, paths: Sequence[str]) -> tuple[str, ...]:
    """Files at or below `paths` that git tracks."""
    if not paths:
        return ()
    return await git.paths("ls-files", "-z", "--cached", "--", *_literal(paths))


async def matching(git: Git, patterns: Sequence[str]) -> tuple[str, ...]:
    """Files of the worktree that the patterns name; ignored ones only where they are named as they are."""
    if not patterns:
        return ()
    where = [f":(top,glob){pattern}" for pattern in patterns]
    listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    found = await git.paths(*listed, "--", *where)
    named = (path for path in patterns if os.path.lexists(git.cwd / path))
    return tuple(sorted({*(path for path in found if not path.endswith("/")), *named}))


def identity(git: Git) -> str:
    """Changes when the worktree is made anew: git writes this file then, and never again."""
    found = (git_dir(git.cwd) / "commondir").stat()
    return f"{found.st_ino}-{found.st_mtime_ns}"


_FROM_STDIN = ("--pathspec-from-file=-", "--pathspec-file-nul")


def _literal(paths: Iterable[str]) -> list[str]:
    return [f":(top,literal){path.rstrip('/')}" for path in paths]


async def _back_to_its_commit(git: Git, before: Before) -> None:
    for operation in under_way(git.cwd):
        if operation not in before.under_way:
            await git.call(operation, "--quit")
    if before.branch is None:
        if await git.line("rev-parse", "HEAD") != before.commit or await git.branch() is not None:
            await git.run("update-ref", "--no-deref", "HEAD", before.commit)
            await git.run("reset", "--quiet")
        return
    why = ("-m", "kitty-run: as before the setup")
    if await git.branch() != before.branch:
        await git.run("symbolic-ref", *why, "HEAD", f"refs/heads/{before.branch}")
    if await git.line("rev-parse", "HEAD") != before.commit:
        await git.run("update-ref", *why, f"refs/heads/{before.branch}", before.commit)
        await git.run("reset", "--quiet")


async def _ignored(git: Git) -> frozenset[str]:
    listed = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    return frozenset(await git.paths(*listed))


async def _new(git: Git) -> frozenset[str]:
    """The untracked files that nobody but kitty-run has git not see: setups of other worktrees come first."""
    exclude = common_dir(git_dir(git.cwd)) / EXCLUDE
    own = without_paths(exclude.read_bytes()) if exclude.exists() else b""
    everywhere = (await git.call("config", "--type=path", "--get", "core.excludesFile")).stdout.strip()
    usual = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git" / "ignore"
    with tempfile.NamedTemporaryFile(prefix="kitty-run-exclude-") as file:
        file.write(own)
        file.flush()
        sources = [path for path in (everywhere or str(usual), file.name) if os.path.exists(path)]  # noqa: PTH110
        rules = ("--exclude-per-directory=.gitignore", *(f"--exclude-from={path}" for path in sources))
        return frozenset(await git.paths("ls-files", "--others", "-z", *rules))


def _staged(now: Status) -> frozenset[str]:
    return frozenset(entry.path for entry in now.entries if entry.staged)


async def _collapsed(git: Git, new: Collection[str], others: Iterable[str]) -> list[str]:
    """`new` paths, or the topmost directories of them in which there is nothing else."""
    if not new:
        return []
    folders: set[str] = set()
    for path in (*await git.paths("ls-files", "-z"), *others):
        folders.update(_folders(path))
    found = dict.fromkeys(
        next((f"{folder}/" for folder in _folders(path) if folder not in folders), path)
        for path in sorted(new)
    )
    return list(found)


def _folders(path: str) -> list[str]:
    """The directories above `path`, the topmost first."""
    parts = path.rstrip("/").split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _known(git: Git, path: str) -> str:
    return "" if path.endswith("/") else fingerprint(git.cwd, path) or ""


def _changed(git: Git, left: Mapping[str, str]) -> list[str]:
    found = {path: fingerprint(git.cwd, path) for path, known in left.items() if known}
    return [path for path, now in found.items() if now not in {None, left[path]}]


async def _take_out(git: Git, since: Snapshot, private: Collection[str]) -> None:
    """Have nothing private in the index or in commits since, but for what was tracked before."""
    if not private:
        return
    own = await git.paths("ls-tree", "-r", "-z", "--name-only", since.head, "--", *map(_plain, private))
    changed = await trees.changed(git, since.head, "HEAD")
    if any(trees.is_below(path, private) and path not in own for path in changed):
        await git.run("reset", "--quiet", "--soft", since.head)
    staged = [
        path for path in _staged(await status(git)) if trees.is_below(path, private) and path not in own
    ]
    if staged:
        await git.run("reset", "--quiet", *_FROM_STDIN, stdin=trees.joined(_literal(staged)))


def _plain(path: str) -> str:
    return path.rstrip("/")
