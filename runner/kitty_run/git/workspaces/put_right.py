"""What an attempt did to its workspace that must not be handed in: undone, with everything kept aside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from kitty_run.git import aside as asides
from kitty_run.git.aside import Aside
from kitty_run.git.command import Git, printable
from kitty_run.git.locks import clear_stale_locks
from kitty_run.git.protocols import Expected, Snapshot, Trouble
from kitty_run.git.status import status
from kitty_run.git.workspaces import sizes
from kitty_run.git.workspaces.history import rejoin
from kitty_run.git.workspaces.lost import make_anew
from kitty_run.git.workspaces.wholeness import undelete

ALLOW = "`workspace.limits.deleted_percent` of the profile allows it"
NAMED = 5
"""Files that a message names."""


async def put_right(
    git: Git, root: Path, aside: Aside, since: Snapshot, want: Expected
) -> tuple[Trouble, ...]:
    """Have the workspace there, on top of the commit of `since`, without mass deletions and huge files.

    Returns what had to be put right for that, the first thing first.
    """
    found = []
    if gone := await make_anew(root, git.cwd, aside, want.branch, since.head):
        text = f"{'; '.join(gone)}. It is made anew from what was committed; files still there are kept"
        found.append(Trouble("lost", text))
    await clear_stale_locks(git, want.branch)
    if want.branch is not None and (again := await rejoin(git, aside, since, want.branch, want.base)):
        fate = "its work is on top of that, uncommitted" if again.joined else "the workspace is put back"
        text = f"{again.what}: {fate}. What it made is kept under {again.ref}"
        found.append(Trouble("rejoined" if again.joined else "rewritten", text))
    if repair := await undelete(git, aside, since.head, want.deleted_share, want.owned):
        ref = f", and the deletion is kept under {repair.kept.ref}" if repair.kept else ""
        found.append(
            Trouble(
                "deleted", f"{repair.why}. They are put back{ref}. Where so much is to be deleted, {ALLOW}"
            )
        )
    if large := await _too_large(git, since, want):
        found.append(await _take_out(git, aside, since, want, large))
    return tuple(found)


async def _too_large(git: Git, since: Snapshot, want: Expected) -> Mapping[str, int]:
    """The changed files that are beyond the limits, with their sizes; committed ones included."""
    committed = await _blobs(git, since.head)
    loose = {path: 0 for path in (await status(git)).dirty if not path.endswith("/")}
    paths = {path: max(committed.get(path, 0), loose.get(path, 0)) for path in {*committed, *loose}}
    found = await asyncio.to_thread(sizes.measure, git.cwd, paths)
    return sizes.beyond(found, file=want.file_limit, all_=want.change_limit)


async def _blobs(git: Git, since: str) -> dict[str, int]:
    """Files that the commits since change, with the size that the last one has of each."""
    if await git.line("rev-parse", "HEAD") == since:
        return {}
    listed = await git.paths("diff-tree", "-r", "-z", "--no-renames", "--diff-filter=d", since, "HEAD")
    blobs = {path: entry.split()[3] for entry, path in zip(listed[::2], listed[1::2], strict=True)}
    asked = "".join(f"{blob}\n" for blob in blobs.values())
    replies = (await git.run("cat-file", "--batch-check=%(objectsize)", stdin=asked)).splitlines()
    return {path: int(reply) if reply.isdigit() else 0 for path, reply in zip(blobs, replies, strict=True)}


async def _take_out(
    git: Git, aside: Aside, since: Snapshot, want: Expected, large: Mapping[str, int]
) -> Trouble:
    why = (
        f"too large for a commit: more than {_mb(want.file_limit)} a file, or {_mb(want.change_limit)} in all"
    )
    if (head := await git.line("rev-parse", "HEAD")) != since.head and await _blobs(git, since.head):
        await asides.keep_commit(git, aside, head, why)
        await git.run("reset", "--quiet", "--soft", since.head)
    kept = await asides.move(git, aside, why, tuple(large))
    named = ", ".join(f"{printable(path)} ({_mb(bytes_)})" for path, bytes_ in list(large.items())[:NAMED])
    more = f" and {len(large) - NAMED} more" if len(large) > NAMED else ""
    limits = f"{_mb(want.file_limit)} a file and {_mb(want.change_limit)} a change are allowed"
    text = f"{named}{more}: too large to be committed, {limits} (workspace.limits). Moved to {kept.folder}"
    return Trouble("large", text)


def _mb(bytes_: int) -> str:
    return f"{-(-bytes_ // sizes.MEGABYTE)} MB"
