"""Where a host of 3.2 or 4 has work done: a worktree and branch per lane, or the root checkout itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class RootCheckout:
    """The root, in which every work package is worked on, measured from where it was at the claim."""

    mission: Mission
    wp: str

    @property
    def lane(self) -> str:
        return "lane-planning"

    @property
    def branch(self) -> str:
        return self.mission.target or current_branch(self.mission.root)

    @property
    def base(self) -> str:
        return self.branch

    @property
    def path(self) -> Path:
        return self.mission.root

    @property
    def _claim(self) -> str:
        return f"refs/kitty-sim/{self.mission.slug}/{self.wp}"

    def claim(self) -> None:
        """Remember where the root is; raises `CheckoutRefused` for another branch, or uncommitted changes."""
        if current_branch(self.path) != self.branch:
            raise CheckoutRefused("WRITE_CHECKOUT_WRONG_BRANCH", f"{self.path} is not on {self.branch}")
        own = (f"kitty-specs/{self.mission.slug}/", ".kittify/")
        if dirty := [name for name in changed_files(self.path) if not name.startswith(own)]:
            text = f"The write checkout at {self.path} has uncommitted changes: {', '.join(dirty)}"
            raise CheckoutRefused("WRITE_CHECKOUT_DIRTY", text)
        if not succeeds(self.path, "rev-parse", "--verify", "--quiet", self._claim):
            git(self.path, "update-ref", self._claim, "HEAD")

    def committed(self, mission: Mission) -> bool:
        """Whether anything but the host's own records was committed there since the claim."""
        if not succeeds(self.path, "rev-parse", "--verify", "--quiet", self._claim):
            return False
        touched = git(self.path, "log", "--format=", "--name-only", f"{self._claim}..HEAD").splitlines()
        own = (f"kitty-specs/{mission.slug}/status.", f"kitty-specs/{mission.slug}/meta.json", ".kittify/")
        return any(name and not name.startswith(own) for name in touched)


class CheckoutRefused(Exception):
    """The root checkout can't be worked in; `code` says why, as the host does."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def with_status_apart(mission: Mission) -> Mission:
    """The mission with the worktree in which its status is kept, on its own branch; made if missing."""
    path = mission.root / ".worktrees" / f"{mission.slug}-coord"
    if not path.is_dir():
        git(mission.root, "worktree", "prune")
        made = has_branch(mission.root, mission.branch)
        new = [] if made else ["-b", mission.branch]
        start = mission.branch if made else mission.target or current_branch(mission.root)
        git(mission.root, "worktree", "add", "-q", *new, str(path), start)
    return replace(mission, apart=path)


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
