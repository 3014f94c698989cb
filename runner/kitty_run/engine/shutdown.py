"""Stopping a run politely: draining on the first signal, and pauses that a drain cuts short."""

from __future__ import annotations

import asyncio
from enum import StrEnum


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
    """Never started: a dependency is not satisfied."""


class Ended(Exception):
    """Ends a work package's way through the lanes: control flow, not an error."""

    def __init__(
        self, result: Result, reason: str = "", gate: str | None = None, *, limit: bool = False
    ) -> None:
        super().__init__(reason)
        self.gate = gate
        self.limit = limit
        self.result = result
        self.reason = reason


class Control:
    """Whether the run is stopping, and why.

    `drain` lets running attempts finish and starts nothing new; each work package meets it at its next
    `checkpoint` or `pause`.
    """

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self.result = Result.STOPPED
        self.reason = ""
        self.limit = False

    @property
    def draining(self) -> bool:
        return self._stopping.is_set()

    def drain(self, reason: str, result: Result = Result.STOPPED, *, limit: bool = False) -> None:
        """Stop starting things; the first reason is the one that counts. `limit`: a limit is that reason."""
        if not self.draining:
            self.reason, self.result, self.limit = reason, result, limit
            self._stopping.set()

    def lift(self) -> None:
        """Take back a limit's stop: limits are for agents, and what is left to do needs none."""
        if self.limit:
            self.reason, self.result, self.limit = "", Result.STOPPED, False
            self._stopping.clear()

    def end(self) -> Ended:
        """The end of whatever the stop keeps from going on."""
        return Ended(self.result, self.reason, limit=self.limit)

    def checkpoint(self) -> None:
        """Raise `Ended` if the run is stopping."""
        if self.draining:
            raise self.end()

    async def pause(self, seconds: float) -> None:
        """Wait; raises `Ended` as soon as the run is stopping."""
        self.checkpoint()
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
        self.checkpoint()
