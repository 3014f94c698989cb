"""Stopping a run politely: draining on the first signal, and pauses that a drain cuts short."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Result(StrEnum):
    """How a work package ended in this run."""

    DONE = "done"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    """Held by somebody else."""
    STOPPED = "stopped"
    """Left resumable, since the run was stopping."""
    PAUSED = "paused"
    """A gate waits for a person, or a limit was reached."""
    FAILED = "failed"
    """An error that the runner did not expect or could not tell the host of."""
    WAITING = "waiting"
    """A dependency is not satisfied, or its workspace is another work package's."""


class EndCode(StrEnum):
    """Why a work package ended. Decisions use this, never the reason's text; each code has one result."""

    COMPLETED = "completed"
    """This run brought it to done."""
    DONE_BEFORE = "done_before"
    """Others did, or an earlier run."""
    HOST_REFUSED = "host_refused"
    """A host call was refused, and the retry table blocks."""
    ATTEMPT_FAILED = "attempt_failed"
    """An attempt failed, and the retry table blocks."""
    REWORK_USED_UP = "rework_used_up"
    REJECTED_AFTER_APPROVAL = "rejected_after_approval"
    """A person rejected what is approved on the host already."""
    UNREVIEWED_CHANGES = "unreviewed_changes"
    """The workspace has uncommitted changes that nobody would review."""
    UNUSABLE = "unusable"
    """Its workspace, task or agent can't be used."""
    BLOCKED_ON_HOST = "blocked_on_host"
    """Found in the lane `blocked`."""
    HELD = "held"
    """Somebody else holds it."""
    SKIPPED = "skipped"
    """The retry table skips it."""
    CANCELED = "canceled"
    """Canceled on the host."""
    NOT_REACHED = "not_reached"
    """The run ended before it."""
    INTERRUPTED = "interrupted"
    RUN_ABORTED = "run_aborted"
    """The run was ended by an error elsewhere."""
    GATE_REJECTED = "gate_rejected"
    GATE_WAITS = "gate_waits"
    LIMIT_REACHED = "limit_reached"
    NO_WORKSPACE = "no_workspace"
    """The host's claim gave no workspace."""
    NOT_BLOCKED = "not_blocked"
    """It was to be blocked, and the host did not do that."""
    ERROR = "error"
    """An error that ends the whole run."""
    UNEXPECTED = "unexpected"
    """An error in the runner."""
    DEPENDENCIES = "dependencies"
    """It waits on others."""
    WORKSPACE = "workspace"
    """It waits for another work package, which holds the same workspace."""

    @property
    def result(self) -> Result:  # noqa: PLR0911 - a table
        """How a work package with this code ended."""
        match self:
            case EndCode.COMPLETED | EndCode.DONE_BEFORE:
                return Result.DONE
            case (
                EndCode.HOST_REFUSED
                | EndCode.ATTEMPT_FAILED
                | EndCode.REWORK_USED_UP
                | EndCode.REJECTED_AFTER_APPROVAL
                | EndCode.UNREVIEWED_CHANGES
                | EndCode.UNUSABLE
                | EndCode.BLOCKED_ON_HOST
            ):
                return Result.BLOCKED
            case EndCode.HELD | EndCode.SKIPPED | EndCode.CANCELED:
                return Result.SKIPPED
            case EndCode.NOT_REACHED | EndCode.INTERRUPTED | EndCode.RUN_ABORTED | EndCode.GATE_REJECTED:
                return Result.STOPPED
            case EndCode.GATE_WAITS | EndCode.LIMIT_REACHED:
                return Result.PAUSED
            case EndCode.NO_WORKSPACE | EndCode.NOT_BLOCKED | EndCode.ERROR | EndCode.UNEXPECTED:
                return Result.FAILED
            case EndCode.DEPENDENCIES | EndCode.WORKSPACE:
                return Result.WAITING
            case unreachable:
                assert_never(unreachable)


@dataclass(frozen=True, slots=True)
class End:
    """How a work package ended in this run. `reason` is for people; `gate` is the one that it waits at."""

    code: EndCode
    reason: str = ""
    gate: str | None = None

    @property
    def result(self) -> Result:
        """What that is in short."""
        return self.code.result


class Stop(Exception):
    """Unwinds whatever is under way, since it may not continue; `end` says why.

    Raised where something waits or asks whether it may continue: the run stops, a limit is reached, a gate
    waits or another work package holds the workspace. Like asyncio's cancellation it passes through all
    that is between such a place and whoever started the work.
    """

    def __init__(self, end: End) -> None:
        super().__init__(end.reason)
        self.end = end


class Control:
    """Whether the run is stopping, and why.

    `drain` lets running attempts finish and starts nothing new; each work package meets it at its next
    `checkpoint` or `pause`.
    """

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self.code = EndCode.NOT_REACHED
        self.reason = ""

    @property
    def draining(self) -> bool:
        return self._stopping.is_set()

    @property
    def limit(self) -> bool:
        """Whether it is a limit that stops the run."""
        return self.code is EndCode.LIMIT_REACHED

    def drain(self, code: EndCode, reason: str) -> None:
        """Stop starting things; the first reason is the one that counts."""
        if not self.draining:
            self.code, self.reason = code, reason
            self._stopping.set()

    def lift(self) -> None:
        """Take back a limit's stop: limits are for agents, and what is left to do needs none."""
        if self.limit:
            self.code, self.reason = EndCode.NOT_REACHED, ""
            self._stopping.clear()

    def end(self) -> End:
        """The end of whatever the stop keeps from continuing."""
        return End(self.code, self.reason)

    def checkpoint(self) -> None:
        """Raise `Stop` if the run is stopping."""
        if self.draining:
            raise Stop(self.end())

    async def pause(self, seconds: float) -> None:
        """Wait; raises `Stop` as soon as the run is stopping."""
        self.checkpoint()
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
        self.checkpoint()
