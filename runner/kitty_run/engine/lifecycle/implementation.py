"""The implementer's half: attempts, the output gate, the checks, and the hand-in for review."""

from __future__ import annotations

from pathlib import Path

from kitty_run.agents.launch.prompts import variables
from kitty_run.agents.launch.task import reported
from kitty_run.agents.model import Outcome
from kitty_run.engine.context import Services
from kitty_run.engine.decisions.reviewer_independence import Staffing
from kitty_run.engine.lifecycle.attempts.agent_choice import Choosing
from kitty_run.engine.lifecycle.attempts.attempt import AttemptRunner, FamilyLimited
from kitty_run.engine.lifecycle.attempts.description import Order, facts
from kitty_run.engine.lifecycle.attempts.handover import MOST, note
from kitty_run.engine.lifecycle.attempts.recovery import Failed, Failures
from kitty_run.engine.lifecycle.checks import as_record, check
from kitty_run.engine.lifecycle.claim import Assignment
from kitty_run.engine.lifecycle.host_calls import Desk
from kitty_run.engine.lifecycle.state_machine import Step
from kitty_run.engine.state.events import WorkCommitted, WorkLeft, WorkReady
from kitty_run.git.protocols import Left, Snapshot
from kitty_run.host.model import Lane
from kitty_run.profile.model import FailureClass
from kitty_run.profile.template import render


class Implementing:
    """Implements one work package until its work may be handed in."""

    def __init__(self, services: Services, desk: Desk, wp: str) -> None:
        self._s = services
        self._desk = desk
        self._wp = wp
        self._attempts = AttemptRunner(services, wp)
        self._staffing = Staffing(services, wp, "implement")
        self._choosing = Choosing(services, desk, wp, "implement")
        self._failures = Failures(services, desk, wp, "implement")

    async def implement(self, at: Assignment) -> Step:
        """One attempt of the role's current agent; hand in on success, else what the retry table says."""
        agent = await self._choosing.agent(self._attempts)
        before = await at.workspace.snapshot()
        order = Order("implement", agent, at, before)
        try:
            outcome = await self._attempts.run(order)
            commit = await self._output_gate(order, outcome, before)
            self._subtasks_gate(at, outcome)
            checks = await check(self._s, at, facts(self._s, self._wp, order, self._number()))
        except FamilyLimited:
            return Step.IMPLEMENT
        except Failed as failed:
            left = await self._look_at_what_is_left(order, before)
            told = note("implement", self._number(), order.agent, failed, self._log(), left)
            await self._failures.settle(failed, order.agent, told, changed=bool(left.changed))
            return Step.IMPLEMENT
        records = tuple(as_record(result) for result in checks)
        self._s.journal.write(WorkReady(self._wp, commit=commit, checks=records))
        return Step.HAND_IN

    async def _output_gate(self, order: Order, outcome: Outcome, before: Snapshot) -> str:
        """Refuse what must not be handed in, commit the rest; returns the head to hand in."""
        workspace, allocation = order.at.workspace, order.at.allocation
        if allocation.branch is not None:
            await workspace.ensure_branch(allocation.branch)
        touched = await workspace.forbidden(before)
        if touched:
            await workspace.undo_forbidden(before)
        if outcome.failure is not None:
            raise Failed(outcome.failure, outcome.rule, outcome)
        if touched:
            raise Failed(FailureClass.FORBIDDEN_CHANGE, _forbidden(touched), outcome)
        await self._commit(order)
        after = await workspace.snapshot()
        reworking = self._s.remember(self._wp).cycle > 1
        if (reworking and after.tree == before.tree) or not await workspace.own_changes(order.at.base):
            raise Failed(FailureClass.NO_CHANGES, "the attempt ended well, but it changed no file", outcome)
        return after.head

    @staticmethod
    def _subtasks_gate(at: Assignment, outcome: Outcome) -> None:
        """An attempt that says itself that a subtask is not done is not handed in as if it were."""
        said = reported(outcome.message or "", at.task.subtasks)
        if undone := [subtask for subtask, done in said.items() if not done]:
            raise Failed(FailureClass.FAILED, f"it reported as not done: {', '.join(undone)}", outcome)

    async def _commit(self, order: Order) -> None:
        agent = self._s.profile.agents[order.agent]
        context = self._attempts.context(order, self._number())
        message = render(self._s.profile.commit_message, variables(context, agent, self._s.profile.policy))
        sha = await order.at.workspace.commit(message)
        if sha is not None:
            self._s.journal.write(WorkCommitted(self._wp, commit=sha, role=order.role, agent=order.agent))

    async def _look_at_what_is_left(self, order: Order, before: Snapshot) -> Left:
        left = await order.at.workspace.left(before, order.at.base)
        self._s.journal.write(
            WorkLeft(self._wp, agent=order.agent, attempt=self._number(), files=tuple(left.changed[:MOST]))
        )
        return left

    def _log(self) -> Path:
        return self._s.place.log(self._wp, f"implement-{self._number()}")

    def _number(self) -> int:
        return self._s.remember(self._wp).attempts["implement"]

    async def hand_in(self, at: Assignment) -> Step:
        """in_progress to for_review, subtasks ticked first where the host keeps them by itself."""
        head = await at.workspace.head()
        async with self._s.host.quiet():
            await self._s.repository.keep(self._s.board.mission, self._wp, head)
        policy = self._s.profile.policy.payload(self._staffing.family())
        if at.task.subtasks:
            await self._desk.call(
                "tick", self._wp, None, lambda: self._s.host.tick(self._wp, at.task.subtasks)
            )
        await self._desk.call(
            "hand_in", self._wp, Lane.FOR_REVIEW, lambda: self._s.host.hand_in(self._wp, policy)
        )
        return Step.CLAIM_REVIEW if self._s.host.traits.review_claim else Step.REVIEW


def _forbidden(touched: tuple[str, ...]) -> str:
    shown = ", ".join(touched[:10]) + (f" and {len(touched) - 10} more" if len(touched) > 10 else "")
    return (
        f"it changed {shown}: files under kitty-specs/ belong to spec-kitty. The runner has put them back "
        "and kept all other changes; finish the task without touching them."
    )
