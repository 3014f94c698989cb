"""One work package's way through its lanes, from wherever the host says it is to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kitty_run.engine.context import Services
from kitty_run.engine.lifecycle.attempts.budget_check import check
from kitty_run.engine.lifecycle.claim import Allocating, Assignment
from kitty_run.engine.lifecycle.host_calls import Blocked, Desk, Refresh, RunAborted
from kitty_run.engine.lifecycle.implementation import Implementing
from kitty_run.engine.lifecycle.review import Reviewing
from kitty_run.engine.lifecycle.state_machine import Step, first_step
from kitty_run.engine.shutdown import EndCode, Ended
from kitty_run.engine.state.run_directory import StorageError
from kitty_run.errors import HostError, JournalError, KittyRunError, WorkspaceError
from kitty_run.host.model import HostRefused, Lane


class Way:
    """Takes one work package step by step; every step returns the next one."""

    def __init__(self, services: Services, desk: Desk, wp: str) -> None:
        self._s = services
        self._desk = desk
        self._wp = wp
        self._allocating = Allocating(services, desk, wp)
        self._implementing = Implementing(services, desk, wp)
        self._reviewing = Reviewing(services, desk, wp)

    async def go(self) -> Ended:
        """Go to the end; returns how it ended. `RunAborted` and unexpected errors are raised."""
        try:
            await self._walk()
        except Ended as ended:
            return ended
        except (RunAborted, JournalError, HostError, StorageError):
            raise  # no work package's own trouble: these end the run
        except (Blocked, KittyRunError) as error:
            return await self._block(error)
        return Ended(EndCode.COMPLETED)

    async def _walk(self) -> None:
        while (step := self._first()) is not None:
            try:
                while step is not Step.END:
                    step = await self._take(step)
            except Refresh:
                continue
            return
        lane = self._s.board.lanes[self._wp]
        if lane is not Lane.DONE:
            code = EndCode.CANCELED if lane is Lane.CANCELED else EndCode.BLOCKED_ON_HOST
            raise Ended(code, f"the host has it in the lane {lane}")

    def _first(self) -> Step | None:
        return first_step(self._s.board.lanes[self._wp], self._s.host.traits.review_claim)

    async def _take(self, step: Step) -> Step:
        if step is Step.CLAIM:
            return await self._allocating.claim()
        if self._wants_an_agent(step):
            check(self._s, self._wp)
        assignment = await self._allocating.assignment()
        steps: dict[Step, Callable[[Assignment], Awaitable[Step]]] = {
            Step.IMPLEMENT: self._implementing.implement,
            Step.HAND_IN: self._implementing.hand_in,
            Step.CLAIM_REVIEW: self._reviewing.claim,
            Step.REVIEW: self._reviewing.review,
            Step.APPROVE: self._reviewing.approve,
            Step.REJECT: self._reviewing.reject,
            Step.CONFIRM: self._reviewing.confirm,
        }
        return await steps[step](assignment)

    def _wants_an_agent(self, step: Step) -> bool:
        """Whether an attempt follows. A review that is not claimed yet may as well be left to others."""
        claims = step is Step.CLAIM_REVIEW and self._s.board.lanes[self._wp] is Lane.FOR_REVIEW
        return claims or step in {Step.IMPLEMENT, Step.REVIEW}

    async def _block(self, cause: Blocked | KittyRunError) -> Ended:
        """Save what the workspace holds, and move the WP to the lane `blocked` with the reason."""
        reason = str(cause)
        try:
            await self._allocating.save("work kept when the work package was blocked")
        except WorkspaceError as error:
            if isinstance(cause, WorkspaceError):  # most likely for the same reason
                self._s.notice(f"what the workspace holds was not saved: {error}", self._wp)
            else:
                reason = f"{reason}; besides: {error}"
        lane = self._s.board.lanes[self._wp]
        policy = self._s.profile.policy.payload(self._allocating.family())
        try:
            await self._desk.call(
                "block", self._wp, Lane.BLOCKED, lambda: self._s.host.block(self._wp, lane, reason, policy)
            )
        except (Blocked, Refresh, Ended, RunAborted, HostRefused) as error:
            return Ended(EndCode.NOT_BLOCKED, f"{reason} (and the host did not move it to blocked: {error})")
        return Ended(cause.code if isinstance(cause, Blocked) else EndCode.UNUSABLE, reason)
