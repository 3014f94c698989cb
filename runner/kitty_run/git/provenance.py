"""Where commits come from: those that nobody reviewed, told by what they change and not by who made them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kitty_run.git.command import Git, printable
from kitty_run.git.workspaces.trees import changed
from kitty_run.git.workspaces.worktrees import list_worktrees

SPECS = "kitty-specs"
"""The host's folder at the root; what agents change below it is never kept."""

HOST_PATHS = (f"{SPECS}/", ".kittify/")
"""Below these the host keeps its own records; it commits them itself, and so does the runner."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A commit that is neither reviewed nor the host's own, with the files that make it so.

    `resolves`: it only settles, in exactly these files, the conflicts of the merge that it is.
    `merge`: it has more than one parent.
    """

    commit: str
    title: str
    files: tuple[str, ...]
    resolves: bool = False
    merge: bool = False

    def __str__(self) -> str:
        shown = ", ".join(self.files[:5]) + (", …" if len(self.files) > 5 else "")
        return f"{self.commit[:10]} {self.title}" + (f" ({shown})" if shown else "")


@dataclass(frozen=True, slots=True)
class Merged:
    """What git itself makes of a merge: the tree, and the files in conflict."""

    tree: str
    conflicts: tuple[str, ...]


def own(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that are not the host's records."""
    return tuple(path for path in paths if not path.startswith(HOST_PATHS))


async def foreign(git: Git, tip: str, known: Iterable[str]) -> tuple[Foreign, ...]:
    """The commits of `tip` that none of `known` contains, and that are not the host's or plain merges."""
    names = [tip, *(f"^{commit}" for commit in sorted(set(known)))]
    listed = await git.run(
        "rev-list", "--topo-order", "--parents", "--stdin", stdin="".join(f"{name}\n" for name in names)
    )
    found = [await _judge(git, *line.split()) for line in listed.splitlines()]
    return tuple(one for one in found if one is not None)


async def computed(git: Git, ours: str, theirs: str) -> Merged | None:
    """The merge of two commits, made without touching anything; None where git is before 2.38."""
    reply = await git.call("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs)
    if reply.status not in {0, 1} or not reply.stdout:
        return None
    tree, *files = reply.stdout.split("\0")
    return Merged(tree.strip(), tuple(file for file in files if file))


async def put_back(git: Git, branch: str, commit: str, aside: str) -> None:
    """Have `branch` at `commit` again, in its worktree too; what it was at is kept under the ref `aside`."""
    tip = await git.line("rev-parse", "--verify", f"refs/heads/{branch}^{{commit}}")
    await git.run("update-ref", "-m", "kitty-run: keep what was put aside", aside, tip)
    places = [one for one in await list_worktrees(git) if one.branch == branch and one.path.is_dir()]
    for place in places:
        linked = None if place.path.resolve() == Path(git.cwd).resolve() else git.cwd
        await Git(place.path, rooted=True, root=linked).run("reset", "--quiet", "--hard", commit)
    if not places:
        await git.run("update-ref", "-m", "kitty-run: put back", f"refs/heads/{branch}", commit, tip)


async def _judge(git: Git, commit: str, *parents: str) -> Foreign | None:
    files, conflicts = await _own_files(git, commit, parents)
    if parents and not own(files):
        return None
    title = printable(await git.line("log", "-1", "--format=%s", commit))
    told = tuple(map(printable, own(files)))
    return Foreign(
        commit, title, told, bool(conflicts) and set(own(files)) <= set(conflicts), len(parents) > 1
    )


async def _own_files(
    git: Git, commit: str, parents: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files that `commit` itself changes, beyond what it merges; and which of them had conflicts."""
    if len(parents) < 2:
        listed = ("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--no-commit-id", "--root", commit)
        return await git.paths(*listed), ()
    merge = await computed(git, *parents) if len(parents) == 2 else None
    if merge is None:
        combined = ("diff-tree", "-c", "-r", "-z", "--no-renames", "--name-only", "--no-commit-id", commit)
        return await git.paths(*combined), ()
    return await changed(git, merge.tree, commit), merge.conflicts
