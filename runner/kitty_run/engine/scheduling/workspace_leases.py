"""Who may write in a workspace: one work package at a time, from its claim until it is approved.

Hosts may put several work packages into one worktree. There the next one starts on the approved head:
nobody's work is removed by another's clean-up, and each review shows one work package's own diff.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kitty_run.engine.state.work_package_memory import WorkPackageMemory
from kitty_run.host.model import Lane, Phase, WorkPackage

Memories = Mapping[str, WorkPackageMemory]


def holds(lane: Lane) -> bool:
    """Whether a work package in `lane` keeps its workspace from others: claimed, and not approved yet."""
    return lane.classified.held and lane is not Lane.APPROVED


def reason(wp: str, holder: str) -> str:
    """Why `wp` waits, for people."""
    return f"{wp} waits for {holder}, which works in the same workspace"


@dataclass(slots=True)
class WorkspaceLeases:
    """The leases of one run.

    `named` is what the host's plan says before any claim: the name of each work package's workspace. `active`
    are the work packages that the run works on now. `paths` are the directories, as soon as they are known.
    """

    named: Mapping[str, str] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)
    paths: dict[str, Path] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a workspace became known, which may let others start."""

    def locate(self, wp: str, workspace: Path) -> None:
        """Remember the directory that the host gave `wp`."""
        if wp not in self.paths:
            self.news.set()
        self.paths[wp] = workspace.resolve()

    def shared(self) -> bool:
        """Whether any two work packages are planned into one workspace."""
        return len(set(self.named.values())) < len(self.named)

    def holder(
        self,
        wp: str,
        work_packages: Mapping[str, WorkPackage],
        lanes: Mapping[str, Lane],
        memories: Memories,
    ) -> str | None:
        """The work package that keeps `wp` out of its workspace now; None where `wp` may work there."""
        mates = self.mates(wp, lanes, memories)
        at_work = [one for one in lanes if one != wp and one in self.active]
        if busy := [one for one in at_work if one in mates or self._both_unknown(wp, one, memories)]:
            return busy[0]
        if lanes[wp] is Lane.APPROVED:
            return None  # nothing is written there any more
        holding = [one for one in lanes if (one == wp or one in mates) and holds(lanes[one])]
        holding = [one for one in holding if one == wp or wp not in _needs(one, work_packages)]
        first = min(holding, key=lambda one: _turn(one, lanes, memories), default=wp)
        return None if first == wp else first

    def mates(self, wp: str, wps: Iterable[str], memories: Memories) -> tuple[str, ...]:
        """Those of `wps` that are known to be worked on in the workspace of `wp`."""
        return tuple(one for one in wps if one != wp and self._share(wp, one, memories))

    def is_known(self, wp: str, memories: Memories) -> bool:
        """Whether the workspace of `wp` is known."""
        return wp in self.named or self._path(wp, memories) is not None

    def _share(self, one: str, other: str, memories: Memories) -> bool:
        named = self.named.get(one)
        if named is not None and named == self.named.get(other):
            return True
        path = self._path(one, memories)
        return path is not None and path == self._path(other, memories)

    def _both_unknown(self, one: str, other: str, memories: Memories) -> bool:
        """Of those whose workspace nobody knows before the claim, one claims at a time."""
        return not self.is_known(one, memories) and not self.is_known(other, memories)

    def _path(self, wp: str, memories: Memories) -> Path | None:
        if wp not in self.paths and wp in memories and (remembered := memories[wp].workspace) is not None:
            self.paths[wp] = remembered.resolve()
        return self.paths.get(wp)


def _turn(wp: str, lanes: Mapping[str, Lane], memories: Memories) -> tuple[bool, int]:
    """The least comes first: who has worked there, then by how far it is; of equals the first in the plan."""
    worked = wp in memories and memories[wp].base is not None
    phases = (Phase.REVIEW, Phase.IMPLEMENTATION, Phase.HALTED)
    return not worked, phases.index(lanes[wp].classified.phase)


def _needs(wp: str, work_packages: Mapping[str, WorkPackage]) -> set[str]:
    """All that `wp` depends on, directly or not."""
    found: set[str] = set()
    ahead: list[str] = [wp]
    while ahead:
        package = work_packages.get(ahead.pop())
        new: Iterable[str] = set(package.dependencies) - found if package else ()
        found.update(new)
        ahead.extend(new)
    return found
