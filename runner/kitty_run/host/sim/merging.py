"""The merge of a finished mission, as each generation does it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from kitty_run.host.sim.git import GitFailed, changed_files, current_branch, git, has_branch, succeeds
from kitty_run.host.sim.missions import Mission
from kitty_run.host.sim.state import Answer, Call, SimState
from kitty_run.host.sim.worktrees import LaneWorktree, lane_worktree

_STATUS_FILES = frozenset({"status.events.jsonl", "status.json", "meta.json"})


def merge_directories(mission: Mission, state: SimState, call: Call) -> Answer:
    """As 1.0: each `.worktrees/SLUG-WP*`, whose branch is named alike, merged at the root checkout.

    A work package that is done but has no worktree is left out in silence; after a conflict the root is
    left in the middle of the merge.
    """
    target = call.target or mission.target or "main"
    names = {wp: f"{mission.slug}-{wp}" for wp in _in_order(state)}
    found = {wp: name for wp, name in names.items() if (mission.root / ".worktrees" / name).is_dir()}
    problems = [f"Missing worktree for {wp}" for wp in _unmade(state, found)]
    problems += [f"Uncommitted changes in {name}" for name in found.values() if _dirty(mission, name)]
    if problems:
        return Answer("PREFLIGHT_FAILED", {"errors": problems})
    merged: list[str] = []
    for wp, name in found.items():
        if not _merged_at_root(mission, target, name, call.strategy):
            return Answer("MERGE_FAILED", {"merged_so_far": merged, "failed_wp": wp})
        merged.append(wp)
    if call.push and not succeeds(mission.root, "push", "-q", "origin", target):
        return Answer("PUSH_FAILED", {"merged_wps": merged})
    return Answer(None, {"target_branch": target, "merged_wps": merged})


def merge_lanes(mission: Mission, state: SimState, call: Call) -> Answer:
    """As 3.2: lanes into one tree beside the checkout, that into the target, then everything cleaned up.

    Worktrees are removed whatever is in them; a root that has the target checked out is reset to it, host
    files included that nobody committed.
    """
    target = call.target or mission.target or "main"
    lanes = {worktree.lane: worktree for wp in _in_order(state) if (worktree := lane_worktree(mission, wp))}
    problem = _preflight(mission, target, list(lanes.values()))
    if problem is None:
        try:
            branches = [lane.branch for lane in lanes.values()]
            if mission.apart is not None:
                branches = [_gathered(mission, branches)]
            tip = _merged_beside(mission, target, branches, call.strategy)
            problem = _in_the_way(mission, target, tip)
        except GitFailed as error:
            problem = f"Merge of {mission.slug} into {target} failed: {error}"
    if problem is not None:
        return Answer("PREFLIGHT_FAILED", {"target_branch": target, "errors": [problem]}, "Merge failed")
    _advance(mission, target, tip)
    _clean_up(mission, list(lanes.values()))
    if call.push and not succeeds(mission.root, "push", "-q", "origin", target):
        return Answer("PREFLIGHT_FAILED", {"errors": [f"push of {target} failed"]}, "Push failed")
    return Answer(None, {"target_branch": target})


def _in_order(state: SimState) -> list[str]:
    """The ids, each after its dependencies and otherwise as they come; what is in a cycle last."""
    left, order = list(state.work_packages.values()), list[str]()
    while left:
        free = (wp for wp in left if not {other.id for other in left} & set(wp.dependencies))
        taken = next(free, left[0])
        left.remove(taken)
        order.append(taken.id)
    return order


def _unmade(state: SimState, found: dict[str, str]) -> list[str]:
    return [wp.id for wp in state.work_packages.values() if wp.id not in found and wp.lane != "done"]


def _dirty(mission: Mission, name: str) -> bool:
    return bool(changed_files(mission.root / ".worktrees" / name))


def _merged_at_root(mission: Mission, target: str, branch: str, strategy: str) -> bool:
    how = ["--squash"] if strategy == "squash" else ["--no-ff", "--no-edit"]
    if current_branch(mission.root) != target and not succeeds(mission.root, "checkout", "-q", target):
        return False
    return succeeds(mission.root, "merge", "-q", *how, branch)


def _preflight(mission: Mission, target: str, lanes: Sequence[LaneWorktree]) -> str | None:
    if not has_branch(mission.root, target):
        return f"Target branch '{target}' does not exist locally or on origin."
    missing = [lane.branch for lane in lanes if not has_branch(mission.root, lane.branch)]
    if missing:
        return f"Lane branch {missing[0]} does not exist"
    if current_branch(mission.root) != target:
        return None
    changed = changed_files(mission.root, untracked=False)
    own = [name for name in changed if Path(name).name not in _STATUS_FILES]
    return f"Refusing to advance branch '{target}': uncommitted changes in {', '.join(own)}" if own else None


def _in_the_way(mission: Mission, target: str, tip: str) -> str | None:
    """What nobody committed at the root and the merge would overwrite there, ignored files too."""
    if current_branch(mission.root) != target:
        return None
    added = ("diff", "--name-only", "--no-renames", "--diff-filter=A", target, tip)
    new = [name for name in git(mission.root, *added).splitlines() if Path(name).name not in _STATUS_FILES]
    places = {place for name in new for place in (name, *map(str, Path(name).parents[:-1]))}
    there = [name for name in sorted(places) if _obstructs(mission.root / name, is_file=name in new)]
    if not there:
        return None
    return f"Refusing to advance branch '{target}': uncommitted changes in {', '.join(there)}"


def _obstructs(path: Path, *, is_file: bool) -> bool:
    """Whether what is at `path` would have to go for the file, or the directory, that comes there."""
    return os.path.lexists(path) and (is_file or not path.is_dir())


def merge_nothing(mission: Mission, state: SimState, call: Call) -> Answer:  # noqa: ARG001
    """As 4 where all work was committed on the target itself: that is written down, and nothing else."""
    target = call.target or mission.target or "main"
    if problem := _preflight(mission, target, ()):
        return Answer("PREFLIGHT_FAILED", {"target_branch": target, "errors": [problem]}, "Merge failed")
    head = git(mission.root, "rev-parse", target)
    meta = {**mission.meta, "merged_at": datetime.now(UTC).isoformat(), "merged_commit": head}
    path = mission.directory / "meta.json"
    path.write_text(json.dumps(meta, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    git(mission.root, "commit", "-q", "-m", f"chore: {mission.slug} is merged", "--", str(path))
    return Answer(None, {"target_branch": target})


def _gathered(mission: Mission, branches: Sequence[str]) -> str:
    """The mission's own branch with `branches` in it; what nobody committed in its worktree is lost."""
    tip = _merged_beside(mission, mission.branch, branches, "merge")
    git(mission.root, "update-ref", f"refs/heads/{mission.branch}", tip)
    if mission.apart is not None:
        git(mission.apart, "reset", "-q", "--hard")
    return mission.branch


def _merged_beside(mission: Mission, target: str, branches: Sequence[str], strategy: str) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "merge"
        git(mission.root, "worktree", "add", "-q", "--detach", str(tree), target)
        try:
            for branch in branches:
                git(tree, "merge", "-q", "--no-ff", "--no-edit", branch)
            if strategy != "merge":
                _flatten(tree, target, mission.slug)
            return git(tree, "rev-parse", "HEAD")
        finally:
            git(mission.root, "worktree", "remove", "--force", str(tree))


def _flatten(tree: Path, target: str, slug: str) -> None:
    """One commit on top of the target, for squash and, simplified, for rebase."""
    git(tree, "reset", "-q", "--soft", target)
    git(tree, "commit", "-q", "--allow-empty", "-m", f"Merge {slug}")


def _advance(mission: Mission, target: str, tip: str) -> None:
    git(mission.root, "update-ref", f"refs/heads/{target}", tip)
    if current_branch(mission.root) == target:
        git(mission.root, "reset", "-q", "--hard")


def _clean_up(mission: Mission, lanes: Sequence[LaneWorktree]) -> None:
    for lane in lanes:
        if lane.path.is_dir():
            git(mission.root, "worktree", "remove", "--force", str(lane.path))
        print(git(mission.root, "branch", "-D", lane.branch))  # noqa: T201
