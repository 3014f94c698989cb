"""How and why work packages end, for programs."""

from __future__ import annotations

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
    """A person is to decide or to act, or a limit was reached."""
    FAILED = "failed"
    """An error that the runner did not expect or could not report to the host."""
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
    MOVED_BY_OTHERS = "moved_by_others"
    """Others moved it on the host during an attempt, and only a person can put that right."""
    PAUSED = "paused"
    """The retry table pauses: a person is to fix the cause, and the same command continues."""
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
            case EndCode.GATE_WAITS | EndCode.LIMIT_REACHED | EndCode.MOVED_BY_OTHERS | EndCode.PAUSED:
                return Result.PAUSED
            case EndCode.NO_WORKSPACE | EndCode.NOT_BLOCKED | EndCode.ERROR | EndCode.UNEXPECTED:
                return Result.FAILED
            case EndCode.DEPENDENCIES | EndCode.WORKSPACE:
                return Result.WAITING
            case unreachable:
                assert_never(unreachable)
