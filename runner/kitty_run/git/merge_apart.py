"""The merge of two commits as git makes it, computed apart: no branch, index or worktree is touched."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kitty_run.git.command import Git
from kitty_run.git.workspaces.trees import empty_tree, scratch_index

STAGES = {1: "base", 2: "ours", 3: "theirs"}


@dataclass(frozen=True, slots=True)
class Merged:
    """What comes of a merge: the tree, and the files in conflict, with markers in the tree.

    `exact`: git itself says so. Else git is before 2.38, and renames were taken for deletions: what is no
    conflict is right, but a conflict may be none.
    """

    tree: str
    conflicts: tuple[str, ...]
    exact: bool = True


async def computed(git: Git, ours: str, theirs: str) -> Merged:
    """The merge of two commits."""
    reply = await git.call("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs)
    if reply.status in {0, 1} and reply.stdout:
        tree, *files = reply.stdout.split("\0")
        return Merged(tree.strip(), tuple(file for file in files if file))
    return await _by_hand(git, ours, theirs)


async def _by_hand(git: Git, ours: str, theirs: str) -> Merged:
    """The same, file by file, for a git that has no `merge-tree --write-tree`."""
    base = await git.call("merge-base", ours, theirs)
    start = base.stdout.split()[0] if base.status == 0 else await empty_tree(git)
    async with scratch_index(git, ours) as scratch:
        await scratch.run("read-tree", "-i", "-m", "--aggressive", start, ours, theirs)
        unmerged: dict[str, dict[str, tuple[str, str]]] = {}
        for line in await scratch.paths("ls-files", "--unmerged", "-z"):
            facts, _, path = line.partition("\t")
            mode, blob, stage = facts.split(" ")
            unmerged.setdefault(path, {})[STAGES[int(stage)]] = (mode, blob)
        conflicts = [path for path, sides in unmerged.items() if not await _merge_file(scratch, path, sides)]
        return Merged(await scratch.line("write-tree"), tuple(conflicts), exact=False)


async def _merge_file(scratch: Git, path: str, sides: Mapping[str, tuple[str, str]]) -> bool:
    """Merge one file into the index, and say whether it was no conflict."""
    mode, blob = sides.get("ours") or sides["theirs"]
    clean = False
    if len(sides) == len(STAGES) and all(one.startswith("100") for one, _ in sides.values()):
        with tempfile.TemporaryDirectory(prefix="kitty-run-merge-") as folder:
            for side, (_, content) in sides.items():
                raw, _ = await scratch.beginning(1 << 40, "cat-file", "blob", content)
                (Path(folder) / side).write_bytes(raw)
            names = [str(Path(folder) / side) for side in ("ours", "base", "theirs")]
            clean = (await scratch.call("merge-file", "--quiet", *names)).status == 0
            blob = await scratch.line("hash-object", "-w", "--no-filters", names[0])
    entries = f"0 {'0' * len(blob)}\t{path}\0{mode} {blob}\t{path}\0"
    await scratch.run("update-index", "-z", "--index-info", stdin=entries)
    return clean
