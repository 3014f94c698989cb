"""What the engine knows of a host: lanes, state, allocations, and what a generation can do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import Literal, assert_never

from kitty_run.errors import KittyRunError
from kitty_run.host.demands.git_demands import MergeDrivers, Protection


class Phase(StrEnum):
    """Which part of a work package's life a lane belongs to."""

    IMPLEMENTATION = "implementation"
    """Not handed in yet."""
    REVIEW = "review"
    """Handed in, and past its implementation."""
    HALTED = "halted"
    """Nothing happens until a person frees it."""
    FINISHED = "finished"
    """Nothing more will happen."""


@dataclass(frozen=True, slots=True)
class LaneClass:
    """What a lane means. `held`: somebody has the work package; `agent`: an agent works on it there."""

    phase: Phase
    held: bool = True
    agent: bool = False


class Lane(StrEnum):
    """The API's lanes, of all contract versions; a 1.0 host uses six of them.

    `classified` says once for each lane what it means; a lane without a class doesn't type-check.
    """

    PLANNED = "planned"
    CLAIMED = "claimed"
    IN_PROGRESS = "in_progress"
    FOR_REVIEW = "for_review"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    DONE = "done"
    BLOCKED = "blocked"
    CANCELED = "canceled"

    @property
    def classified(self) -> LaneClass:  # noqa: PLR0911 - a table
        """The class of this lane."""
        match self:
            case Lane.PLANNED:
                return LaneClass(Phase.IMPLEMENTATION, held=False)
            case Lane.CLAIMED:
                return LaneClass(Phase.IMPLEMENTATION)
            case Lane.IN_PROGRESS:
                return LaneClass(Phase.IMPLEMENTATION, agent=True)
            case Lane.FOR_REVIEW | Lane.APPROVED:
                return LaneClass(Phase.REVIEW)
            case Lane.IN_REVIEW:
                return LaneClass(Phase.REVIEW, agent=True)
            case Lane.BLOCKED:
                return LaneClass(Phase.HALTED)
            case Lane.DONE | Lane.CANCELED:
                return LaneClass(Phase.FINISHED, held=False)
            case unreachable:
                assert_never(unreachable)

    @property
    def startable(self) -> bool:
        """Whether it may be started, once its dependencies are satisfied: it is not handed in yet."""
        return self.classified.phase is Phase.IMPLEMENTATION

    @property
    def past_implementation(self) -> bool:
        """Whether it is handed in, but not finished."""
        return self.classified.phase is Phase.REVIEW

    @property
    def in_motion(self) -> bool:
        """Whether the runner can move it on: it is neither halted nor finished."""
        return self.startable or self.past_implementation

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it. What a host accepts as finished is in its `Traits`."""
        return self.classified.phase is Phase.FINISHED

    @property
    def settled(self) -> bool:
        """Whether nobody holds it."""
        return not self.classified.held

    @property
    def for_agent(self) -> bool:
        """Whether an agent works on it in this lane."""
        return self.classified.agent


@dataclass(frozen=True, slots=True)
class WorkPackage:
    """A work package as the host's state call shows it.

    `actor` is who moved it last, where the host says so (1.0 does). Anyone may call themselves so: it is for
    people, and decides nothing.
    """

    id: str
    lane: Lane
    dependencies: tuple[str, ...] = ()
    actor: str = ""


@dataclass(frozen=True, slots=True)
class MissionState:
    """The reply of the state call, in the host's order."""

    mission: str
    work_packages: tuple[WorkPackage, ...]

    def lane(self, wp: str) -> Lane:
        """The lane of `wp`; KeyError if the mission has no such work package."""
        for work_package in self.work_packages:
            if work_package.id == wp:
                return work_package.lane
        raise KeyError(wp)


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where a work package is worked on.

    `branch` is what the workspace has, or must have, checked out. `base` is the ref that the WP's own
    work is measured from, where the host says so. Both paths lie inside the repository (checked).
    """

    wp: str
    workspace: Path
    prompt: Path
    branch: str | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewer's decision as the host gets it; both strings are single-line and sanitised."""

    reviewer: str
    verdict: Literal["approved", "changes_requested"]
    reference: str


@dataclass(frozen=True, slots=True)
class MergeReply:
    """What the host says it merged; to be verified with git. `merged` is None where it gives no list."""

    target: str
    strategy: str
    merged: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Convention:
    """Where a work package is worked on, by convention; templates over `mission` and `wp`."""

    workspace: str
    branch: str


@dataclass(frozen=True, slots=True)
class Topology:
    """What a mission's shape asks of the finish (data of the dialect).

    `commit_status`: the host's status files must be committed on the planning branch before the merge.
    `status_at`: the worktree, relative to the repository, in which the host keeps the status, where that is
    not the root; what it has not committed there would be lost by its merge.
    `refused`: why no mission of this shape is run; None: it is run.
    `accept`: `before` the merge, or `around` it: tried before, and after the merge again if the host
    crashed at the first try (3.2.7 on coordination missions).
    `root`: what the root checkout must have checked out for every call: the mission's `target`, on which the
    host commits the status (or into which it writes that), or `any` branch.
    `own_worktree`: where the runner has all work packages worked on, one after the other, if the host would
    have that done in the root checkout; what is done there is brought onto the target before it is handed in.
    `merge_record`: the key of meta.json that the host fills when it merges, where git can't show that.
    """

    name: str
    commit_status: bool
    accept: Literal["before", "around"]
    status_at: str | None = None
    refused: str | None = None
    root: Literal["target", "any"] = "any"
    own_worktree: Convention | None = None
    merge_record: str | None = None


@dataclass(frozen=True, slots=True)
class Traits:
    """What the engine must know of a dialect beyond its argv (data of `profiles/hosts/*.yaml`).

    `workspaces`: who makes a WP's worktree. `satisfied_by`: lanes that satisfy a dependency.
    `finished`: lanes in which a WP counts for accept. `merge_strategies`: those that really work.
    `serialise`: which calls must not overlap. `cleans_up`: the merge removes worktrees and branches.
    `unblock`: what a person does to free a blocked WP (text with `{mission}`, `{wp}`, `{actor}`).
    `records`: what of the repository the host keeps its own records in, and commits by itself: files, and
    folders with a slash at their end (texts with `{mission}`).
    `commits_acceptance`: False where the host accepts only what is committed, and leaves the acceptance
    itself uncommitted. `reserves`: a claim is two calls, the first of which names who claims.
    `mission_branch`: what work packages' branches are merged into, and what is merged into the target then
    (text with `{mission}`); None: they are merged into the target one by one.
    `merge_refuses`: which uncommitted changes stop the merge, beside the host's records: `staged` ones at the
    root checkout, or all of `tracked` files where the root has the merge's target checked out; `untracked`:
    other files stop the acceptance, too. `merge_wants_origin`: the merge is refused while the target is
    behind its remote. `merge_drivers`, `protects`: see their classes.
    """

    workspaces: Literal["runner", "host"]
    satisfied_by: frozenset[Lane]
    finished: frozenset[Lane]
    merge_strategies: frozenset[str]
    serialise: Literal["all", "mutations"]
    cleans_up: bool
    review_claim: bool
    unblock: str
    records: tuple[str, ...]
    commits_acceptance: bool = True
    reserves: bool = False
    mission_branch: str | None = None
    merge_wants_origin: bool = False
    merge_drivers: MergeDrivers | None = None
    protects: Protection | None = None

    def gathering(self, mission: str) -> str | None:
        """The mission's own branch, where this host has one."""
        return None if self.mission_branch is None else self.mission_branch.format(mission=mission)

    merge_refuses: Literal["staged", "tracked", "untracked"] = "tracked"

    def records_of(self, mission: str) -> tuple[str, ...]:
        """The host's own records of `mission`, relative to the repository."""
        return tuple(record.format(mission=mission) for record in self.records)

    def unblocking(self, mission: str, wp: str, actor: str) -> str:
        """What a person does to free the blocked `wp`, with all names filled in, as a shell takes them."""
        return self.unblock.format(mission=quote(mission), wp=quote(wp), actor=quote(actor))


_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


class HostRefused(KittyRunError):
    """A call failed with an `error_code`; decisions use `code` only, never the text.

    Six codes are the client's own. After the first two the state is unknown and must be read again:

    - `HOST_TIMEOUT`: no reply within the time limit;
    - `HOST_UNREADABLE`: a reply without a usable envelope (a crashed host), or one that makes no sense;
    - `WORKSPACE_UNUSABLE`: the call succeeded, but there is no worktree to work in;
    - `PROMPT_MISSING`: the call succeeded, but the work package's prompt file does not exist;
    - `HOST_CHANGED`: the host is not the one that the run began with (it was upgraded);
    - `COMMAND_FAILED`: a command outside the orchestrator API, which has no codes, failed.
    """

    def __init__(self, code: str, operation: str, message: str, data: Mapping[str, object]) -> None:
        super().__init__(message)
        self.code = code
        self.operation = operation
        self.data = data

    def because(self, message: str) -> HostRefused:
        """The same refusal, in other words."""
        return HostRefused(self.code, self.operation, message, self.data)

    def precise(self, fields: Sequence[str]) -> HostRefused:
        """The same refusal by the code in the first of `fields` that its data has."""
        named = (self.data.get(name) for name in fields)
        code = next((one for one in named if isinstance(one, str) and _CODE.fullmatch(one)), None)
        return self if code is None else HostRefused(code, self.operation, str(self), self.data)

    @property
    def lost(self) -> bool:
        """Whether it is unknown if the call took effect."""
        return self.code in {"HOST_TIMEOUT", "HOST_UNREADABLE"}
