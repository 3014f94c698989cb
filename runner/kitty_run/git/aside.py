"""The one place that takes anything out of a worktree: it is kept and reported first, then discarded.

It is kept as a commit on top of HEAD under `refs/kitty-run/MISSION/aside/WP-COMMIT`. Git repositories inside
the worktree are kept as plain files, their `.git` as `dot-git`. What is too large for git is moved to
`kitty-run/aside/WP-COMMIT/` in the repository's git directory. Caches that are not committed are not kept.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.git.command import Git, printable
from kitty_run.git.layout import common_dir, git_dir, under_way
from kitty_run.git.protocols import Kept
from kitty_run.git.status import status
from kitty_run.git.workspaces import trees
from kitty_run.git.workspaces.worktrees import list_worktrees
from kitty_run.machine import fault_of

NAMESPACE = "refs/kitty-run"


OnKept = Callable[[str, Kept], None]
"""Called with the work package and what is kept of it."""


def unreported(_wp: str, _kept: Kept) -> None:
    """For those who have no journal: what was kept is found under its ref."""


@dataclass(frozen=True, slots=True)
class Aside:
    """For which work package things are kept; `on_kept` is called before each is removed."""

    mission: str = "none"
    wp: str = "none"
    on_kept: OnKept = unreported

    def ref(self, commit: str) -> str:
        """The ref that keeps `commit`."""
        return f"{NAMESPACE}/{self.mission}/aside/{self.name(commit)}"

    def name(self, commit: str) -> str:
        """The last part of that ref."""
        return f"{self.wp}-{commit[:12]}"


async def hold(git: Git, ref: str, commit: str) -> str:
    """Have `ref` hold `commit`, and return its name: another one where something is in the way of it.

    A symbolic ref of that name, which others left, is replaced; what it leads to stays as it is.
    """
    words = ("update-ref", "--no-deref", "--create-reflog", "-m", "kitty-run: keep")
    if (await git.call(*words, ref, commit)).status == 0:
        return ref
    other = f"{NAMESPACE}-{secrets.token_hex(4)}/{ref.removeprefix(f'{NAMESPACE}/')}"
    await git.run(*words, other, commit)
    return other


def folder_of(directory: Path) -> Path:
    """Where the repository of `directory` keeps what is too large for git."""
    return common_dir(git_dir(directory)).resolve() / "kitty-run" / "aside"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a worktree is put back to: a commit, checked out on `branch` (None: detached)."""

    commit: str
    branch: str | None


async def keep(  # noqa: PLR0913 - what to keep, and what to say of it
    git: Git,
    aside: Aside,
    why: str,
    goal: Goal,
    *,
    prefix: str,
    deletions: bool = True,
    files: Sequence[str] | None = None,
) -> Kept | None:
    """Keep all that the worktree holds and `goal` does not: commits, files, ignored ones below `prefix`.

    None: there is nothing. Without `deletions`, a file that is missing counts as unchanged. `files` are those
    that the caller is about to take away, if it is not all. Files too large for git are moved away by this.
    """
    now = await status(git)
    heads = await _commits(git, "HEAD", *([f"refs/heads/{goal.branch}"] if goal.branch else []))
    parents = await _beyond(git, goal.commit, heads)
    taken = await trees.take_whole(git, prefix, now, deletions=deletions)
    differing = await trees.changed(git, goal.commit, taken.tree)
    if not parents and not differing and not taken.unread:
        return None
    commit = await git.commit_tree(taken.tree, parents or [goal.commit], f"kitty-run: {why}")
    return await _record(git, aside, commit, why, differing if files is None else files, taken.unread)


async def keep_commit(git: Git, aside: Aside, commit: str, why: str) -> Kept:
    """Keep `commit`, which is about to be on no branch any more."""
    return await _record(git, aside, commit, why, (), ())


async def discard(  # noqa: PLR0913 - what to discard, and what to say of it
    git: Git, aside: Aside, why: str, goal: Goal, *, prefix: str, deletions: bool = True
) -> Kept | None:
    """Have the worktree at `goal` and clean, but for ignored files; what that takes away is kept first."""
    await git.run("cat-file", "-e", f"{goal.commit}^{{commit}}")
    kept = await keep(git, aside, why, goal, prefix=prefix, deletions=deletions)
    for operation in under_way(git.cwd):
        await git.call(operation, "--quit")
    if goal.branch is None:
        await git.run("update-ref", "--no-deref", "HEAD", goal.commit)
    else:
        await git.run("symbolic-ref", "HEAD", f"refs/heads/{goal.branch}")
        await git.run("update-ref", f"refs/heads/{goal.branch}", goal.commit)
    await git.run("reset", "--quiet", "--hard", goal.commit)
    await git.run("clean", "-ffdq")
    return kept


async def abort_merge(git: Git, aside: Aside | None, why: str) -> None:
    """Undo the merge under way; what it left in tracked files is kept first, if `aside` is given."""
    if aside is not None:
        async with trees.scratch_index(git) as scratch:
            await scratch.run("add", "--update", "--sparse", "--", ":/")
            tree = await scratch.line("write-tree")
        parents = await _commits(git, "HEAD", "MERGE_HEAD")
        commit = await git.commit_tree(tree, parents, f"kitty-run: {why}")
        await _record(git, aside, commit, why, await trees.changed(git, "HEAD", tree), ())
    await git.run("merge", "--abort")


async def reset_branch(git: Git, aside: Aside, why: str, branch: str, commit: str) -> Kept:
    """Have `branch` at `commit` again, in its worktree too; what it is at is kept first.

    Raises `WorkspaceError` where uncommitted changes in its worktree would be lost by that.
    """
    tip = await git.line("rev-parse", "--verify", f"refs/heads/{branch}^{{commit}}")
    kept = await _record(git, aside, tip, why, await trees.changed(git, commit, tip), ())
    places = [one for one in await list_worktrees(git) if one.branch == branch and one.path.is_dir()]
    for place in places:
        linked = None if place.path.resolve() == git.cwd.resolve() else git.cwd
        await Git(place.path, rooted=True, root=linked).run("reset", "--quiet", "--keep", commit)
    if not places:
        await git.run("update-ref", "-m", "kitty-run: put back", f"refs/heads/{branch}", commit, tip)
    return kept


async def move(git: Git, aside: Aside, why: str, paths: Sequence[str]) -> Kept:
    """Move files that are too large for git out of the worktree; whatever HEAD has of them is put back."""
    commit = await git.commit_tree(await git.line("rev-parse", "HEAD^{tree}"), ["HEAD"], f"kitty-run: {why}")
    kept = await _record(git, aside, commit, why, (), tuple(paths))
    files = ("--pathspec-from-file=-", "--pathspec-file-nul")
    await git.run("reset", "--quiet", *files, stdin=trees.joined(paths))
    known = set(await git.paths("ls-files", "-z"))
    present = trees.joined(path for path in paths if path in known)
    await git.run("checkout-index", "--force", "-z", "--stdin", stdin=present)
    return kept


async def _record(  # noqa: PLR0913, PLR0917 - what is recorded
    git: Git, aside: Aside, commit: str, why: str, files: Sequence[str], unread: Sequence[str]
) -> Kept:
    ref = await hold(git, aside.ref(commit), commit)
    folder = folder_of(git.cwd) / aside.name(commit)
    for path in unread:
        _move(git.cwd / path, folder / path)
    shown = tuple(map(printable, (*files, *unread)))
    kept = Kept(ref, commit, shown, why, folder if unread else None)
    aside.on_kept(aside.wp, kept)
    return kept


def _move(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.move(source, target)
    except OSError as error:
        if fault := fault_of(error, target):
            raise fault from error
        raise WorkspaceError(f"{source} can't be moved to {target}: {error.strerror}") from error


async def _commits(git: Git, *names: str) -> list[str]:
    """The commits of those of `names` that have one; none twice."""
    found = [await git.commit_of(name) for name in names]
    return list(dict.fromkeys(commit for commit in found if commit))


async def _beyond(git: Git, goal: str, commits: Sequence[str]) -> list[str]:
    """Those of `commits` that `goal` does not contain, in their order."""
    return [one for one in commits if not await git.contains(goal, one)]
