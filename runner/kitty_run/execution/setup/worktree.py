"""A worktree as its setup sees it: what git says of it before and after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kitty_run.execution.workspace_protocol import WorkspaceState
from kitty_run.git.command import Git
from kitty_run.git.workspaces import setup_changes
from kitty_run.git.workspaces.setup_changes import Before, Changes


class SetupWorktree(Protocol):
    """The worktree that is prepared. Every method raises `WorkspaceError` where git refuses."""

    @property
    def identity(self) -> str:
        """Another one once the worktree is made anew."""
        ...

    async def matching(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """The files that glob patterns name."""
        ...

    async def tracked(self, paths: Sequence[str]) -> tuple[str, ...]:
        """The files at or below `paths` that git tracks."""
        ...

    async def look(self, state: WorkspaceState) -> Before: ...

    async def settle(self, before: Before) -> Changes: ...


class GitWorktree:
    """See `SetupWorktree`: the linked worktree at `path` of the repository at `root`."""

    def __init__(self, path: Path, root: Path) -> None:
        self._git = Git(path, rooted=True, root=root)

    @property
    def identity(self) -> str:
        return setup_changes.identity(self._git)

    async def matching(self, patterns: Sequence[str]) -> tuple[str, ...]:
        return await setup_changes.matching(self._git, patterns)

    async def tracked(self, paths: Sequence[str]) -> tuple[str, ...]:
        return await setup_changes.tracked(self._git, paths)

    async def look(self, state: WorkspaceState) -> Before:
        return await setup_changes.look(self._git, state.head, state.branch, state.tree)

    async def settle(self, before: Before) -> Changes:
        return await setup_changes.settle(self._git, before)
