"""Worktrees as a 3.2 host makes them: one lane, branch and directory per work package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kitty_run.host.sim.git import GitFailed, changed_files, current_branch, git, has_branch, succeeds
from kitty_run.host.sim.missions import Mission


class AllocationFailed(Exception):
    """The worktree can't be made ready; the text says what to do."""


@dataclass(frozen=True, slots=True)
class LaneWorktree:
    """Where a lane is worked on, and what its own work is measured from."""

    lane: str
    branch: str
    base: str
    path: Path

    def committed(self, mission: Mission) -> bool:
        """Whether the branch has a commit beyond its base; merged dependencies count, as on the real host."""
        if not has_branch(mission.root, self.branch):
            return False
        return git(mission.root, "rev-list", "--count", f"{self.base}..{self.branch}") != "0"


def lane_worktree(mission: Mission, wp: str) -> LaneWorktree:
    """Where `wp` is worked on, made already or not."""
    lane = mission.lane_of(wp)
    return LaneWorktree(
        lane=lane,
        branch=f"kitty/mission-{mission.slug}-{lane}",
        base=mission.target or current_branch(mission.root),
        path=mission.root / ".worktrees" / f"{mission.slug}-{lane}",
    )


def allocate(mission: Mission, wp: str, dependencies: tuple[str, ...]) -> LaneWorktree:
    """Make the worktree of `wp`, or use the one there is, and merge its dependencies' branches into it.

    Raises `AllocationFailed` for a worktree with uncommitted changes, and where a merge conflicts.
    """
    worktree = lane_worktree(mission, wp)
    if not worktree.path.is_dir():
        _add(mission, worktree)
    elif changed_files(worktree.path):
        raise AllocationFailed(f"Lane {worktree.lane} worktree at {worktree.path} has uncommitted changes")
    for name in dependencies:
        _merge(worktree, lane_worktree(mission, name))
    return worktree


def _add(mission: Mission, worktree: LaneWorktree) -> None:
    git(mission.root, "worktree", "prune")
    made = has_branch(mission.root, worktree.branch)
    source = [str(worktree.path), worktree.branch] if made else []
    new = ["-b", worktree.branch, str(worktree.path), worktree.base]
    try:
        git(mission.root, "worktree", "add", "-q", *(source or new))
    except GitFailed as error:
        raise AllocationFailed(str(error)) from error


def _merge(worktree: LaneWorktree, dependency: LaneWorktree) -> None:
    if not has_branch(worktree.path, dependency.branch):
        print(f"WARNING: dependency lane '{dependency.lane}' branch does not resolve")  # noqa: T201
    elif not succeeds(worktree.path, "merge", "-q", "--no-edit", dependency.branch):
        git(worktree.path, "merge", "--abort")
        raise AllocationFailed(
            f"cannot auto-merge dependency lane '{dependency.lane}' ({dependency.branch}) into lane "
            f"'{worktree.lane}': the merge conflicts. merge it manually, commit, then re-run"
        )
