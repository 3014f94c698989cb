"""What the simulated host holds: a mission, its work packages, and one call on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from kitty_run.host.model import Lane

Command = Literal[
    "contract-version",
    "state",
    "list-ready",
    "start-implementation",
    "start-review",
    "transition",
    "append-history",
    "resolve-workspace",
    "mark-status",
    "move-task",
    "settle",
    "accept",
    "merge",
]


@dataclass(frozen=True, slots=True)
class SimWorkPackage:
    """A work package as the host keeps it; `actor` made its last entry, `removed`: canceled with a note.

    `subtasks` is the roster; `ticked` what has been marked as done of it.
    """

    id: str
    lane: Lane = Lane.PLANNED
    dependencies: tuple[str, ...] = ()
    actor: str | None = None
    subtasks: tuple[str, ...] = ()
    ticked: frozenset[str] = frozenset()
    removed: bool = False
    agent: str | None = None
    """Who is known to work on it, where the host asks for that."""


@dataclass(frozen=True, slots=True)
class SimState:
    """A mission on the simulated host."""

    mission: str
    work_packages: Mapping[str, SimWorkPackage]
    accepted: bool = False
    merged: bool = False

    def with_wp(self, changed: SimWorkPackage) -> SimState:
        """The same mission with one work package changed."""
        return replace(self, work_packages={**self.work_packages, changed.id: changed})

    def holder_of_subtask(self, subtask: str) -> SimWorkPackage | None:
        """The work package in whose roster `subtask` is."""
        return next((wp for wp in self.work_packages.values() if subtask in wp.subtasks), None)


@dataclass(frozen=True, slots=True)
class Call:
    """A command with its options, parsed; None for an option that is not given.

    `policy` is the parsed JSON ("" where it was not JSON).
    `committed`: whether the work package's branch has a commit of its own (looked up by who has a git),
    `open`: the acceptance criteria that nobody has settled (looked up by who keeps them), `alone`: whether
    all work packages are worked on in the root checkout.
    """

    command: Command
    mission: str = ""
    wp: str = ""
    to: str = ""
    actor: str = ""
    note: str | None = None
    review_ref: str | None = None
    policy: object = None
    review_result: Mapping[str, object] | None = None
    evidence: Mapping[str, object] | None = None
    subtasks: tuple[str, ...] = ()
    provider_version: str | None = None
    target: str | None = None
    strategy: str = "merge"
    push: bool = False
    committed: bool = True
    agent: str = ""
    criterion: str = ""
    result: str = ""
    evidence_text: str = ""
    open: tuple[str, ...] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host replies: `code` None is success."""

    code: str | None
    data: Mapping[str, object] = field(default_factory=dict)
    message: str = ""
