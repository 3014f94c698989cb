"""What the engine asks of git, as protocols: the engine also runs on simulated workspaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from kitty_run.git.provenance import Foreign
from kitty_run.git.root_state import AbortedMerge, BroughtIn, Dirt, RootState


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A workspace at one moment: commit, branch (None: detached), and the tree of all that is in it,
    untracked files that are not ignored included. `dirty` are the paths that are not as committed; of the
    `unread` ones, which are too large for git, the tree knows size and time alone."""

    head: str
    branch: str | None
    tree: str
    dirty: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """A diff, cut at a limit; `stat` is its summary."""

    text: str
    truncated: bool
    files: tuple[str, ...]
    stat: str


@dataclass(frozen=True, slots=True)
class Left:
    """What an attempt left behind: files that it `changed`, committed or not; the `commits` on top of the
    work package's base, a line each, the newest first; and the files that are `uncommitted` now."""

    changed: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    uncommitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What is taken out of a workspace: `ref` holds it as `commit`, `files` are those that differ.

    Those of them that are too large for git lie in `folder`; it is None where there is none.
    """

    ref: str
    commit: str
    files: tuple[str, ...]
    why: str
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done to a worktree that was not whole: the files that were `restored`, what was `kept` of
    it, or that it was `removed`, since there was nothing in it yet."""

    why: str
    restored: tuple[str, ...] = ()
    kept: Kept | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What the workspace must be when an attempt ends: on `branch` (None: the host names none), whose own
    work is on top of `base`; with changed files of at most so many bytes each, and altogether, and not more
    than that percentage of all files deleted, those that the glob patterns `owned` cover not counted."""

    branch: str | None
    base: str
    file_limit: int
    change_limit: int
    deleted_share: int
    owned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that an attempt did to its workspace, and that was put right; `text` says what and how.

    lost: the workspace or its branch was removed. rejoined: commits were rewritten, the work is on top of
    the old ones. rewritten: the same, but the workspace had to be put back. deleted: too many files were.
    large: files are too large for a commit.
    """

    kind: Literal["lost", "rejoined", "rewritten", "deleted", "large"]
    text: str


@dataclass(frozen=True, slots=True)
class Unmerged:
    """A work package whose commit is not (wholly) in the target, and what is missing."""

    wp: str
    reason: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a branch relates to the commits of it that were reviewed.

    `foreign` are commits on it that nobody reviewed, `missing` reviewed ones that it does not contain.
    `goal` is the reviewed commit that contains all others; where none was reviewed, what the branch was
    before the foreign ones, if nothing else came after them. None where there is no such commit.
    """

    tip: str
    foreign: tuple[Foreign, ...]
    missing: tuple[str, ...]
    goal: str | None


@dataclass(frozen=True, slots=True)
class Loss:
    """The files in which a merged target is not `expected`, the merge that was computed apart.

    In those of `unsure` that merge has conflicts, and nobody knows what must be there.
    """

    files: tuple[str, ...]
    expected: str
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """The commit `head` can't be merged with `other`: git finds conflicts in `files`."""

    head: str
    other: str
    files: tuple[str, ...]


class WorkspacePort(Protocol):
    """One work package's worktree; the real one is `kitty_run.git.workspaces.workspace.Workspace`.

    Every method raises `WorkspaceError` where git refuses.
    """

    @property
    def path(self) -> Path: ...

    async def ensure(self, branch: str, base: str, merge: Sequence[str]) -> None: ...

    async def make_whole(self, *, untouched: bool) -> Repair | None:
        """Have the worktree hold every file of its commit; None: it did, or there is none.

        `untouched`: nobody can have worked in it yet. To be called before anything else is done in it.
        """
        ...

    async def head(self) -> str: ...

    async def dirty(self) -> tuple[str, ...]: ...

    async def snapshot(self) -> Snapshot: ...

    async def snapshot_committed(self, commit: str = "HEAD", tree: str | None = None) -> Snapshot:
        """What `commit` holds, whatever is uncommitted; `tree`: what was there besides, if git has it."""
        ...

    async def fork_point(self, ref: str, known: Sequence[str] = ()) -> str:
        """The commit at which this workspace's branch left `ref`, or passed the last one of `known`."""
        ...

    async def ensure_branch(self, branch: str) -> None: ...

    async def put_right(self, since: Snapshot, want: Expected) -> tuple[Trouble, ...]:
        """Undo what an attempt that began at `since` did and must not be handed in; all of it is kept."""
        ...

    async def forbidden(self, since: Snapshot) -> tuple[str, ...]: ...

    async def undo_forbidden(self, since: Snapshot) -> None: ...

    async def separate(self, since: Snapshot, left: Mapping[str, str]) -> tuple[str, ...]: ...

    async def commit(self, message: str) -> str | None: ...

    async def land(self, since: Snapshot, head: str, tree: str) -> None:
        """Have the workspace, which is as in `since`, hold what was done in a copy of it: the commit `head`,
        checked out on the same branch, and the files of the git tree `tree`."""
        ...

    async def left(self, since: Snapshot, base: str) -> Left:
        """What changed since, and what is on top of `base` now."""
        ...

    async def own_changes(self, base: str) -> bool: ...

    async def discard(self, since: Snapshot, why: str) -> tuple[str, ...]:
        """Put everything back to `since`, and return what had changed; it is kept first, and reported."""
        ...

    async def diff(self, base: str, limit_bytes: int, generated: Sequence[str]) -> Diff: ...

    async def open_review(self, commit: str, base: str, followed: Sequence[str]) -> WorkspacePort:
        """Where a reviewer works: apart, on `commit` alone, without ignored files; what that changes since
        `base` of the files that its agent has `followed` is not there, and so dirty."""
        ...

    async def close_review(self, commit: str | None, why: str) -> tuple[str, ...]:
        """Remove that place if there is one, and return what had been changed there; it is kept first.

        `commit` is what the reviewer was started on, None: none was.
        """
        ...


class RepositoryPort(Protocol):
    """The root checkout; the real one is `kitty_run.git.repository.Repository`."""

    async def current_branch(self) -> str | None: ...

    async def resolve(self, ref: str) -> str | None: ...

    async def glance(self, worktree: Path | None = None) -> RootState:
        """What is checked out at the root, and whether a git changes the index there, or in `worktree`."""
        ...

    async def dirt(self) -> Dirt: ...

    async def dirty_tracked(self) -> tuple[str, ...]: ...

    async def commit_status(
        self, mission_dir: Path, message: str, worktree: Path | None = None
    ) -> str | None: ...

    async def bring_in(self, branch: str, commit: str, message: str) -> BroughtIn: ...

    async def verify_merged(self, target: str, heads: Mapping[str, str]) -> tuple[Unmerged, ...]: ...

    async def abort_merge(self, mission: str, heads: Mapping[str, str]) -> AbortedMerge | None: ...

    async def cleanup(self, worktrees: Sequence[Path], branches: Sequence[str], target: str) -> None: ...

    async def keep(self, mission: str, name: str, sha: str) -> str:
        """Keep `sha` from being removed; returns the ref that holds it, which is no proof of anything."""
        ...

    async def kept(self, mission: str) -> Mapping[str, str]: ...

    async def tips(self, branches: Sequence[str]) -> Mapping[str, str]: ...

    async def lacking(self, tip: str | None, was: str) -> tuple[str, ...]:
        """The commits of `was` that `tip` does not contain, each with its title, the newest first."""
        ...

    async def standing(self, branch: str, reviewed: Sequence[str], known: Sequence[str]) -> Standing | None:
        """How `branch` relates to its `reviewed` commits; what `known` contains is left out."""
        ...

    async def put_back(self, mission: str, wp: str, branch: str, commit: str) -> str:
        """Have `branch` at `commit` again; returns the ref that keeps what it was at."""
        ...

    async def restore(self, branch: str, commit: str) -> None: ...

    async def hidden(self, branches: Sequence[str]) -> tuple[str, ...]: ...

    async def changes_nothing(self, target: str, heads: Sequence[str], branch: str) -> bool:
        """Whether merging `branch` too changes nothing of what merging `heads` into `target` comes to."""
        ...

    async def place(self, branch: str) -> Path | None: ...

    async def brought(self, before: str, target: str, known: Sequence[str]) -> tuple[Foreign, ...]:
        """The commits of `target` since `before` that none of `known` contains, the host's own left out."""
        ...

    async def conflict(self, target: str, heads: Sequence[str]) -> Conflict | None:
        """The first of `heads` that can't be merged with `target` and those before it; None: all can."""
        ...

    async def lost(self, before: str, target: str, heads: Sequence[str]) -> Loss:
        """Where `target` is not what merging `heads` into `before` comes to."""
        ...

    async def remote_of(self, branch: str) -> str: ...

    async def is_on(self, remote: str, branch: str) -> bool:
        """Whether the remote itself shows `branch` at, or beyond, what it is at here."""
        ...

    async def push(self, remote: str, branch: str) -> str | None:
        """Push `branch`, never with force; None, or git's own words for why not."""
        ...
