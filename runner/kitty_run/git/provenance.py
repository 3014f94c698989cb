"""Where commits come from: unreviewed ones are recognized by what they change, not by who made them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kitty_run.git.command import Git, printable
from kitty_run.git.merge_apart import computed
from kitty_run.git.workspaces.trees import changed

SPECS = "kitty-specs"
"""The host's folder at the root; what agents change below it is never kept."""


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


def own(paths: Iterable[str], records: Sequence[str]) -> tuple[str, ...]:
    """Those of `paths` that are not the host's `records`: files, or folders with a slash at their end."""
    folders = tuple(record for record in records if record.endswith("/"))
    return tuple(path for path in paths if path not in records and not path.startswith(folders))


async def foreign(git: Git, tip: str, known: Iterable[str], records: Sequence[str]) -> tuple[Foreign, ...]:
    """The commits of `tip` that none of `known` contains, and that are no plain merges and change more than
    the host's `records`: it commits those itself, and so does the runner."""
    names = [tip, *(f"^{commit}" for commit in sorted(set(known)))]
    listed = await git.run(
        "rev-list", "--topo-order", "--parents", "--stdin", stdin="".join(f"{name}\n" for name in names)
    )
    found = [await _judge(git, records, *line.split()) for line in listed.splitlines()]
    return tuple(one for one in found if one is not None)


async def below(git: Git, tip: str, strangers: Sequence[Foreign]) -> str | None:
    """What a branch at `tip` was before `strangers` came on top of it; None: other commits came after one."""
    commits, goal = {one.commit for one in strangers}, tip
    while goal in commits:
        commits.discard(goal)
        before = await git.commit_of(f"{goal}^1")
        if before is None:
            return None
        goal = before
    return None if commits else goal


async def _judge(git: Git, records: Sequence[str], commit: str, *parents: str) -> Foreign | None:
    changed_, conflicts = await _own_files(git, commit, parents)
    files = own(changed_, records)
    if parents and not files:
        return None
    title = printable(await git.line("log", "-1", "--format=%s", commit))
    resolves = bool(conflicts) and set(files) <= set(conflicts)
    return Foreign(commit, title, tuple(map(printable, files)), resolves, len(parents) > 1)


async def _own_files(
    git: Git, commit: str, parents: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files that `commit` itself changes, beyond what it merges; and which of them had conflicts."""
    if len(parents) < 2:
        listed = ("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--no-commit-id", "--root", commit)
        return await git.paths(*listed), ()
    if len(parents) > 2:
        combined = ("diff-tree", "-c", "-r", "-z", "--no-renames", "--name-only", "--no-commit-id", commit)
        return await git.paths(*combined), ()
    merge = await computed(git, *parents)
    return await changed(git, merge.tree, commit), merge.conflicts
