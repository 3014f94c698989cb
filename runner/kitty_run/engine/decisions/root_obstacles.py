"""What at the root checkout keeps a host from its work: somebody's git, another branch, uncommitted changes.

Pure. Each obstacle is a refusal with a code of the runner's own, made before the host is called, so that the
retry table says how long a run waits for it.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kitty_run.git.root_state import Dirt, RootState
from kitty_run.host.dialect import READS
from kitty_run.host.model import HostRefused
from kitty_run.host.protocol import Host
from kitty_run.profile.finish import Finish
from kitty_run.text.commands import git_at

LOCKED, BRANCH, DIRTY = "ROOT_LOCKED", "ROOT_BRANCH", "ROOT_DIRTY"
BEGUN, CONFLICT = "ROOT_BEGUN", "ROOT_CONFLICT"
CODES = frozenset({LOCKED, BRANCH, DIRTY, BEGUN, CONFLICT})
"""Refusals of calls that were not made."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Demands:
    """What a host wants of the root checkout for one mission.

    `branches`: one of them must be checked out; empty: any may be. `status` is the worktree that the host
    commits the status in, where that is not the root. `target` is what the merge goes into, None where
    nothing names it. `records` are the host's own, which are committed before the merge.
    """

    root: Path
    branches: tuple[str, ...] = ()
    status: Path | None = None
    accepts: bool = True
    merges: bool = True
    target: str | None = None
    refuses: Literal["staged", "tracked", "untracked"] = "tracked"
    records: tuple[str, ...] = ()

    @classmethod
    def of(cls, host: Host, finish: Finish, root: Path, mission: str, now: str | None) -> Demands:
        """Those of `host`, while the root has a branch checked out that holds the mission; `now` is its name.

        To be taken down once: on another branch the host's own record of the mission is not there to be read.
        """
        topology, merge = host.topology, finish.merge
        named = [branch for branch in (host.target, merge.target if merge else None) if branch]
        wanted = tuple(dict.fromkeys(named)) or ((now,) if now else ())
        return cls(
            root,
            wanted if topology.root == "target" else (),
            root / topology.status_at.format(mission=mission) if topology.status_at else None,
            finish.accept,
            merge is not None,
            (merge.target if merge else None) or host.target,
            host.traits.merge_refuses,
            host.traits.records_of(mission),
        )


def obstacle(demands: Demands, operation: str, state: RootState) -> HostRefused | None:
    """What keeps `operation` from being called now, whatever is uncommitted; None: nothing."""
    elsewhere = bool(demands.branches) and state.branch not in demands.branches
    if state.begun and (elsewhere or (demands.branches and operation not in READS)):
        return HostRefused(BEGUN, operation, _begun(demands, state.begun), {})
    if elsewhere:
        return HostRefused(BRANCH, operation, _other_branch(demands, state.branch), {})
    if state.lock is not None and operation not in READS:
        return HostRefused(LOCKED, operation, _locked(state.lock, state), {})
    return None


def dirty(demands: Demands, state: RootState, dirt: Dirt) -> HostRefused | None:
    """What of the root's uncommitted changes would stop the merge, or the acceptance; None: nothing.

    What a person has under way there counts as such a change: the host's git would end it, or undo it.
    """
    if state.begun and _ends_at_root(demands, state):
        return HostRefused(BEGUN, "merge", _begun(demands, state.begun), {})
    found = [path for path in _refused(demands, state, dirt) if not _is_record(path, demands.records)]
    return HostRefused(DIRTY, "merge", _uncommitted(demands, found), {}) if found else None


def _refused(demands: Demands, state: RootState, dirt: Dirt) -> tuple[str, ...]:
    tracked = (*dirt.staged, *dirt.changed)
    if demands.refuses == "untracked" and demands.accepts:
        return (
            *tracked,
            *(path for path in dirt.untracked if not path.endswith("/")),
        )  # worktrees are not meant
    if not demands.merges:
        return ()
    if demands.refuses == "staged":
        return dirt.staged
    return tracked if _ends_at_root(demands, state) else ()  # else the host merges without the root


def _ends_at_root(demands: Demands, state: RootState) -> bool:
    """Whether the mission's end, by acceptance or merge, changes what the root has checked out."""
    if demands.refuses == "untracked" and demands.accepts:
        return True
    at_root = demands.refuses == "staged" or demands.target is None or state.branch == demands.target
    return demands.merges and at_root


def _is_record(path: str, records: tuple[str, ...]) -> bool:
    """Whether it is the host's own, or of its folder: which of those it minds, only the host knows."""
    return any(path == record or path.startswith(record.partition("/")[0] + "/") for record in records)


def _other_branch(demands: Demands, branch: str | None) -> str:
    has = f"the branch {branch}" if branch else "no branch (detached)"
    wanted = demands.branches[0]
    return (
        f"the root checkout has {has} checked out, not {' or '.join(demands.branches)}, on which this host "
        f"keeps the mission's status: `{git_at(demands.root)} switch {shlex.quote(wanted)}` "
        "(commit or stash what is under way there before)"
    )


def _begun(demands: Demands, operation: str) -> str:
    git = git_at(demands.root)
    what = f"a {operation}" if operation != "am" else "an am (patches being applied)"
    end = (
        f"end it with `{git} bisect reset`"
        if operation == "bisect"
        else f"end it with `{git} {operation} --continue`, or take it back with `{git} {operation} --abort`"
    )
    return (
        f"{what} was begun at the root checkout {demands.root} and is not ended. The host's commits there "
        f"would meet with it: {end}"
    )


def _locked(lock: Path, state: RootState) -> str:
    since = "" if state.since is None else f" since {state.since:%Y-%m-%d %H:%M:%S}"
    return (
        f"{lock} is there{since}: another git is at work there, or died. Look with `ps -ef | grep '[g]it'` "
        f"(also on other machines that share the directory); where none runs, `rm {shlex.quote(str(lock))}`"
    )


def _uncommitted(demands: Demands, paths: list[str]) -> str:
    shown = ", ".join(paths[:SHOWN]) + (f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else "")
    kind = "staged" if demands.refuses == "staged" else "uncommitted"
    keep = " --include-untracked" if demands.refuses == "untracked" else ""
    return (
        f"{kind} changes at the root checkout {demands.root} would stop the mission's end: {shown}. Commit "
        f"or stash them: `{git_at(demands.root)} stash push{keep}`"
    )
