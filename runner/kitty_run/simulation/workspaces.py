"""Simulated workspaces: files and commits in memory behind the engine's `WorkspacePort`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kitty_run.git.protocols import Diff, Expected, Kept, Left, Repair, Snapshot, Trouble

BRANCH = "branch"
HOST_FILES = "kitty-specs/"
"""What no agent may change."""


@dataclass
class WorkspaceContent:
    """What is in one workspace; agents change `files`, and append to `commits` where they commit themselves.

    `commits` are the whole content at each commit, the first being the one that the branch was made at.
    """

    files: dict[str, str] = field(default_factory=dict)
    commits: list[dict[str, str]] = field(default_factory=lambda: [{}])
    repair: Repair | None = None
    """The repair that the next `make_whole` reports."""
    trouble: tuple[Trouble, ...] = ()
    """The damage that the next attempt does, besides its work."""
    untouched: list[bool] = field(default_factory=list)
    """The engine's argument at each such check: whether nobody can have worked there yet."""

    @property
    def head(self) -> str:
        """The id of the last commit."""
        return digest(self.commits)

    @property
    def heads(self) -> list[str]:
        """The ids of all commits, the oldest first."""
        return [digest(self.commits[: at + 1]) for at in range(len(self.commits))]

    @property
    def clean(self) -> bool:
        """Whether the files are as committed."""
        return self.files == self.commits[-1]

    def commit(self) -> str | None:
        """Commit the files; None where they are as committed already."""
        if self.clean:
            return None
        self.commits.append(dict(self.files))
        return self.head

    def reset(self, head: str) -> None:
        """Remove every commit after `head`, and every change."""
        del self.commits[self.heads.index(head) + 1 :]
        self.files = dict(self.commits[-1])


class SimulatedWorkspace:
    """`WorkspacePort` over a `WorkspaceContent`. `path` exists, and is empty.

    `on_kept` is called with what is discarded, as the real one does when it is kept.
    """

    def __init__(self, path: Path, content: WorkspaceContent, on_kept: Callable[[Kept], None]) -> None:
        self.path = path
        self._content = content
        self._on_kept = on_kept

    async def ensure(self, branch: str, base: str, merge: Sequence[str]) -> None:
        return

    async def make_whole(self, *, untouched: bool) -> Repair | None:
        self._content.untouched.append(untouched)
        repair, self._content.repair = self._content.repair, None
        return repair

    async def head(self) -> str:
        return self._content.head

    async def dirty(self) -> tuple[str, ...]:
        return () if self._content.clean else tuple(self._content.files)

    async def snapshot(self) -> Snapshot:
        return Snapshot(self._content.head, BRANCH, digest(self._content.files), await self.dirty())

    async def snapshot_committed(self, commit: str = "HEAD", tree: str | None = None) -> Snapshot:
        commits = self._content.commits
        at = len(commits) if commit == "HEAD" else self._content.heads.index(commit) + 1
        return Snapshot(digest(commits[:at]), BRANCH, tree or digest(commits[at - 1]))

    async def fork_point(self, ref: str, known: Sequence[str] = ()) -> str:
        heads = self._content.heads
        return next((head for head in reversed(heads) if head in known), heads[0])

    async def ensure_branch(self, branch: str) -> None:
        return

    async def put_right(self, since: Snapshot, want: Expected) -> tuple[Trouble, ...]:
        trouble, self._content.trouble = self._content.trouble, ()
        return trouble

    async def forbidden(self, since: Snapshot) -> tuple[str, ...]:
        return tuple(name for name in self._content.files if name.startswith(HOST_FILES))

    async def undo_forbidden(self, since: Snapshot) -> None:
        for name in await self.forbidden(since):
            del self._content.files[name]

    async def separate(self, since: Snapshot, left: Mapping[str, str]) -> tuple[str, ...]:
        return ()

    async def commit(self, message: str) -> str | None:
        return self._content.commit()

    async def land(self, since: Snapshot, head: str, tree: str) -> None:
        raise NotImplementedError("simulated agents work in the workspace itself")

    async def left(self, since: Snapshot, base: str) -> Left:
        changed = self._content.files if digest(self._content.files) != since.tree else {}
        commits = tuple(f"{head} work" for head in reversed(self._content.heads[1:]))
        return Left(tuple(changed), commits, await self.dirty())

    async def own_changes(self, base: str) -> bool:
        at = self._content.heads.index(base) if base in self._content.heads else 0
        return self._content.commits[-1] != self._content.commits[at]

    async def discard(self, since: Snapshot, why: str) -> tuple[str, ...]:
        content = self._content
        changed = () if content.clean and content.head == since.head else tuple(content.files)
        if changed:
            self._on_kept(Kept(f"refs/kitty-run/demo/aside/{content.head}", content.head, changed, why))
        content.reset(since.head)
        return changed

    async def open_review(self, commit: str, base: str, followed: Sequence[str]) -> SimulatedWorkspace:
        return self  # so that what a simulated reviewer changes is in the workspace itself

    async def close_review(self, commit: str | None, why: str) -> tuple[str, ...]:
        return ()

    async def diff(self, base: str, limit_bytes: int, generated: Sequence[str]) -> Diff:
        content = self._content.commits[-1]
        return Diff(json.dumps(content), False, tuple(content), "")


def digest(value: object) -> str:
    """A short id of plain data, as a commit or a tree has one."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
