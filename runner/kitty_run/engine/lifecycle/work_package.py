"""One work package's run through its steps, from wherever the host has it to its end."""

from __future__ import annotations

from typing import assert_never

from kitty_run.engine.context import Services
from kitty_run.engine.decisions.reviewer_independence import RoleAgents
from kitty_run.engine.lifecycle.approvals import Approvals
from kitty_run.engine.lifecycle.attempts.budget_check import check
from kitty_run.engine.lifecycle.attempts.description import Order, facts
from kitty_run.engine.lifecycle.attempts.setup import tear_down
from kitty_run.engine.lifecycle.claim import Claim, NoWorkspace
from kitty_run.engine.lifecycle.host_calls import CallGivenUp, HostCalls, RunAborted
from kitty_run.engine.lifecycle.implementation import Implementation
from kitty_run.engine.lifecycle.mission.branch_watch import BranchWatch
from kitty_run.engine.lifecycle.outcomes import Abort, Block, Found, MovedByOthers, Stopped, Unusable
from kitty_run.engine.lifecycle.review import WorkPackageReview
from kitty_run.engine.lifecycle.state_machine import (
    Next,
    Step,
    StepOutcome,
    after_block,
    next_step,
    starts_attempt,
)
from kitty_run.engine.shutdown import End, Stop
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.errors import HostError, JournalError, KittyRunError, LaunchError, WorkspaceError
from kitty_run.host.model import HostRefused, Lane
from kitty_run.machine import MachineFault
from kitty_run.profile.model import Action


class WorkPackageRun:
    """Takes one work package step by step, as the state machine says."""

    def __init__(
        self, services: Services, calls: HostCalls, approvals: Approvals, watch: BranchWatch, wp: str
    ) -> None:
        run, git, execution = services.run, services.git, services.execution
        self._run = run
        self._calls = calls
        self._watch = watch
        self._wp = wp
        self._execution = execution
        self._leases = services.schedule.leases
        self._claim = Claim(run, calls, git, execution, services.schedule.leases, wp)
        self._implementation = Implementation(run, calls, git, execution, wp)
        self._review = WorkPackageReview(run, calls, git, execution, approvals, wp)

    async def run(self) -> End:
        """Run to the end; returns which it is.

        Raises `RunAborted`, and every error that is not the work package's own: those end the run.
        """
        following: Next = Step.READ_LANE
        while True:
            match following:
                case Step() as step:
                    following = next_step(
                        step, await self._outcome(step), review_claim=self._calls.host.traits.review_claim
                    )
                case Block() as block:
                    return await self._block(block)
                case End() as end:
                    if end.code is EndCode.COMPLETED:
                        await self._tear_down()
                    return end
                case Abort(reason, exit_status):
                    raise RunAborted(f"{self._wp}: {reason}", exit_status)
                case unreachable:
                    assert_never(unreachable)

    async def _outcome(self, step: Step) -> StepOutcome:
        """What `step` comes to. Whatever unwinds it, and the work package's own errors, are outcomes too."""
        try:
            if step not in {Step.IMPLEMENT, Step.REVIEW}:
                return await self._take(step)
            await self._watch.look()
            outcome = await self._take(step)
            await self._watch.look()  # what is missing now went while its agent was at work
            return outcome
        except Stop as stop:
            return Stopped(stop.end)
        except CallGivenUp as given_up:
            return given_up.outcome
        except (RunAborted, JournalError, HostError, MachineFault):
            raise  # no work package's own trouble: these end the run
        except KittyRunError as error:
            return Unusable(str(error), workspace=isinstance(error, WorkspaceError))

    async def _take(self, step: Step) -> StepOutcome:  # noqa: C901, PLR0911 - a table
        if step is Step.READ_LANE:
            memory = self._run.remember(self._wp)
            if memory.moved is None:
                return Found(self._lane())
            return MovedByOthers(memory.moved, claimed=memory.base is not None)
        if step is Step.CLAIM:
            return await self._claim.claim()
        role = "implement" if step is Step.IMPLEMENT else "review"
        if starts_attempt(step, self._lane()) and role not in self._run.remember(self._wp).ended:
            check(self._run, self._wp)
        at = await self._claim.assignment()
        match step:
            case Step.IMPLEMENT:
                return await self._implementation.implement(at)
            case Step.HAND_IN:
                return await self._implementation.hand_in(at)
            case Step.CLAIM_REVIEW:
                return await self._review.claim(at)
            case Step.REVIEW:
                return await self._review.review(at)
            case Step.APPROVE:
                return await self._review.approve(at)
            case Step.REJECT:
                return await self._review.reject()
            case Step.CONFIRM:
                return await self._review.confirm(at)
            case unreachable:
                assert_never(unreachable)

    async def _tear_down(self) -> None:
        """End what the workspace's setup started, once no work package needs it any more."""
        lanes = self._run.board.lanes
        mates = self._leases.mates(self._wp, lanes, self._run.memory.work_packages)
        if not self._run.profile.workspace.teardown or any(not lanes[mate].finished for mate in mates):
            return
        try:
            at = await self._claim.assignment()
            agent = RoleAgents(self._run.profile, self._run.remember(self._wp), "implement").agent()
            order = Order("implement", agent, at, await at.workspace.snapshot())
            number = max(1, self._run.remember(self._wp).attempts.get("implement", 1))
            attempt = facts(self._run, self._wp, order, number)
            await tear_down(self._run, self._execution, at, attempt, self._run.profile.agents[agent])
        except (WorkspaceError, LaunchError, NoWorkspace) as error:
            self._run.notice(f"its workspace was not taken down: {error}", self._wp)

    def _lane(self) -> Lane:
        return self._run.board.lanes[self._wp]

    async def _block(self, block: Block) -> End:
        """Save what the workspace holds, and move the WP to the lane `blocked` with the reason."""
        block = await self._saved(block)
        while self._lane().in_motion:
            try:
                await self._call_block(block, self._lane())
            except CallGivenUp as given_up:
                if given_up.decision.action is not Action.REFRESH:
                    return after_block(block, None if self._lane() is Lane.BLOCKED else str(given_up.refused))
            except (Stop, RunAborted, HostRefused) as error:
                return after_block(block, None if self._lane() is Lane.BLOCKED else str(error))
        lane = self._lane()
        return after_block(block, None if lane is Lane.BLOCKED else f"it is in the lane {lane}")

    async def _call_block(self, block: Block, lane: Lane) -> None:
        host, policy = self._calls.host, self._run.profile.policy.payload(self._claim.family())
        await self._calls.call(
            "block", self._wp, Lane.BLOCKED, lambda: host.block(self._wp, lane, block.reason, policy)
        )

    async def _saved(self, block: Block) -> Block:
        """`block`, whose reason names what could not be saved."""
        try:
            await self._claim.save("work kept when the work package was blocked")
        except WorkspaceError as error:
            if not block.workspace:
                return Block(block.code, f"{block.reason}; besides: {error}")
            # What blocks it is most likely the reason, too.
            self._run.notice(f"what the workspace holds was not saved: {error}", self._wp)
        return block
