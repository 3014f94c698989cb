"""The implementer's half: attempts, the output gate, the checks, and the hand-in for review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kitty_run.agents.launch.prompts import variables
from kitty_run.engine.context import Execution, Git, Run
from kitty_run.engine.lifecycle.attempts.agent_choice import AgentChoice
from kitty_run.engine.lifecycle.attempts.attempt import AttemptRunner
from kitty_run.engine.lifecycle.attempts.description import Order, facts
from kitty_run.engine.lifecycle.attempts.handover import MOST, note
from kitty_run.engine.lifecycle.attempts.recovery import AttemptFailure, Recovery
from kitty_run.engine.lifecycle.attempts.role import RoleScope
from kitty_run.engine.lifecycle.attempts.setup import prepare, set_up_or_pause
from kitty_run.engine.lifecycle.checks import as_record, check
from kitty_run.engine.lifecycle.claim import Assignment
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.lifecycle.mission.delivery import Delivery
from kitty_run.engine.lifecycle.outcomes import HandedIn, Implemented, Limited
from kitty_run.engine.lifecycle.state_machine import ImplementOutcome
from kitty_run.engine.state.events import AttemptEnded, ChecksStarted, WorkCommitted, WorkLeft, WorkReady
from kitty_run.git.protocols import Expected, Left, Snapshot, Trouble
from kitty_run.host.model import Lane
from kitty_run.profile.model import FailureClass
from kitty_run.profile.template import render

TROUBLE: Mapping[str, FailureClass] = {
    "lost": FailureClass.WORKSPACE_LOST,
    "rewritten": FailureClass.FORBIDDEN_CHANGE,
    "deleted": FailureClass.FORBIDDEN_CHANGE,
    "large": FailureClass.FORBIDDEN_CHANGE,
}
"""What the troubles that a workspace was put right of are failures of; others are none."""


class Implementation:
    """Implements one work package until its work may be handed in."""

    def __init__(self, run: Run, calls: HostCalls, git: Git, execution: Execution, wp: str) -> None:
        self._run = run
        self._calls = calls
        self._git = git
        self._execution = execution
        self._wp = wp
        scope = RoleScope(run, calls, execution, wp, "implement")
        self._attempts = AttemptRunner(run, execution, wp)
        self._agents = scope.agents
        self._choice = AgentChoice(scope)
        self._recovery = Recovery(scope)
        self._delivery = Delivery(run, calls, git)

    async def implement(self, at: Assignment) -> ImplementOutcome:
        """One attempt of the role's current agent, and what is measured of its work.

        No attempt where a run was cut off after one: then the work of that is measured, or its checks run
        again.
        """
        if (known := await self._known(at)) is not None:
            ready = await self._checked(known, await at.workspace.head())
            return await self._conclude(known, ready, None)
        if (ended := self._ended() or await self._outlived(at)) is not None:
            order = Order("implement", ended.agent, at, await self._begun(at))
            return await self._conclude(order, await self._ready(order, ended), ended.seconds)
        agent = await self._choice.agent(self._attempts)
        order = Order("implement", agent, at, await at.workspace.snapshot())
        if self._run.profile.workspace.wanted("implement"):
            await prepare(self._run, self._execution, self._wp, order)
            order = replace(order, before=await at.workspace.snapshot())
        outcome = await self._attempts.run(order)
        if isinstance(outcome, Limited):
            return outcome
        return await self._conclude(order, await self._ready(order, outcome), self._attempts.elapsed())

    async def _known(self, at: Assignment) -> Order | None:
        """The order of the attempt whose work passed the output gate, if that is what the workspace holds."""
        memory = self._run.remember(self._wp)
        checking = memory.checking
        if checking is None or checking.agent not in self._run.profile.agents:
            return None
        now = await at.workspace.snapshot()
        if now.dirty or now.head != checking.commit or checking.attempt != memory.attempts.get("implement"):
            return None
        return Order("implement", checking.agent, at, await self._begun(at))

    def _ended(self) -> AttemptEnded | None:
        """The end of the latest attempt, if a run was cut off before it measured the work."""
        memory = self._run.remember(self._wp)
        ended = memory.ended.get("implement")
        if ended is None or memory.checking is not None or ended.agent not in self._run.profile.agents:
            return None
        return ended

    async def _outlived(self, at: Assignment) -> AttemptEnded | None:
        """The end of the latest attempt, if it came to that by itself though a run was killed meanwhile."""
        started = self._run.remember(self._wp).under_way
        if started is None or started.agent not in self._run.profile.agents:
            return None
        return await self._attempts.outlived(
            Order("implement", started.agent, at, await self._begun(at)), started
        )

    async def _begun(self, at: Assignment) -> Snapshot:
        """The workspace as the latest attempt found it."""
        begun = self._run.remember(self._wp).begun.get("implement")
        if begun is None or begun.head is None:
            return await at.workspace.snapshot()
        return await at.workspace.snapshot_committed(begun.head, begun.tree)

    async def _conclude(
        self, order: Order, ready: WorkReady | AttemptFailure, seconds: float | None
    ) -> ImplementOutcome:
        """What follows the attempt, that was started `seconds` ago (None: only its checks ran)."""
        if isinstance(ready, AttemptFailure):
            left = await self._look_at_what_is_left(order)
            handover = note("implement", self._number(), order.agent, ready, self._log(), left)
            return await self._recovery.settle(
                ready, order.agent, handover, seconds=seconds, changed=bool(left.changed)
            )
        self._run.journal.write(ready)
        return Implemented()

    async def _ready(self, order: Order, ended: AttemptEnded) -> WorkReady | AttemptFailure:
        """The work that may be handed in, committed and checked; else why it may not be."""
        commit = await self._output_gate(order, ended)
        if isinstance(commit, AttemptFailure):
            return commit
        if ended.undone:  # what says itself that it is not done is not handed in as if it were
            reason = f"it reported as not done: {', '.join(ended.undone)}"
            return AttemptFailure(FailureClass.FAILED, reason, ended.resets_at)
        return await self._checked(order, commit)

    async def _checked(self, order: Order, commit: str) -> WorkReady | AttemptFailure:
        """What the checks say of `commit`, which passed the output gate."""
        if self._run.profile.roles["implement"].checks:
            self._run.journal.write(
                ChecksStarted(self._wp, commit=commit, agent=order.agent, attempt=self._number())
            )
        attempt = facts(self._run, self._wp, order, self._number())
        agent = self._run.profile.agents[order.agent]
        if self._run.profile.roles["implement"].checks:
            trouble = await set_up_or_pause(self._run, self._execution, order.at, attempt, agent)
            if trouble is not None:
                said = f"{trouble.text}, after what this work package changed of it. The end of its output:"
                return AttemptFailure(FailureClass.CHECK_FAILED, f"{said}\n\n{trouble.output}")
        checks = await check(self._run, self._execution.executor, order.at, attempt, agent)
        if isinstance(checks, AttemptFailure):
            return checks
        return WorkReady(self._wp, commit=commit, checks=tuple(as_record(result) for result in checks))

    async def _output_gate(self, order: Order, outcome: AttemptEnded) -> str | AttemptFailure:
        """Refuse what must not be handed in, commit the rest; returns the head to hand in."""
        workspace, allocation, before = order.at.workspace, order.at.allocation, order.before
        trouble = await workspace.put_right(before, self._expected(order.at))
        for one in trouble:
            if one.kind not in TROUBLE or outcome.failure is not None:
                self._run.notice(one.text, self._wp)
        if allocation.branch is not None:
            await workspace.ensure_branch(allocation.branch)
        shown = await workspace.separate(before, self._run.remember(self._wp).left)
        touched = await workspace.forbidden(before)
        if touched:
            await workspace.undo_forbidden(before)
        if outcome.failure is not None:
            return AttemptFailure(outcome.failure, outcome.rule, outcome.resets_at)
        if (refusal := _refusal(touched, shown, trouble)) is not None:
            return AttemptFailure(*refusal, outcome.resets_at)
        await self._commit(order)
        after = await workspace.snapshot()
        idle = after.tree == await self._rejected(order.at, before)
        if idle or not await workspace.own_changes(order.at.base):
            return AttemptFailure(
                FailureClass.NO_CHANGES, "the attempt ended well, but it changed no file", outcome.resets_at
            )
        return after.head

    def _expected(self, at: Assignment) -> Expected:
        limits, megabyte = self._run.profile.workspace.limits, 1024 * 1024
        return Expected(
            at.allocation.branch,
            at.base,
            limits.file_mb * megabyte,
            limits.change_mb * megabyte,
            limits.deleted_percent,
            at.task.owned_files,
        )

    async def _rejected(self, at: Assignment, before: Snapshot) -> str | None:
        """The tree that this round of rework must not end with; None: there was no review yet.

        It is the rejected one, and not the one that this attempt began with: an earlier attempt of the
        round may have done the work, and only its checks failed or were cut off.
        """
        memory = self._run.remember(self._wp)
        if memory.rejected is not None:
            return (await at.workspace.snapshot_committed(memory.rejected)).tree
        return before.tree if memory.cycle > 1 else None

    async def _commit(self, order: Order) -> None:
        agent = self._run.profile.agents[order.agent]
        context = self._attempts.context(order, self._number())
        message = render(
            self._run.profile.commit_message, variables(context, agent, self._run.profile.policy)
        )
        sha = await order.at.workspace.commit(message)
        if sha is not None:
            self._run.journal.write(WorkCommitted(self._wp, commit=sha, role=order.role, agent=order.agent))

    async def _look_at_what_is_left(self, order: Order) -> Left:
        left = await order.at.workspace.left(order.before, order.at.base)
        self._run.journal.write(
            WorkLeft(self._wp, agent=order.agent, attempt=self._number(), files=tuple(left.changed[:MOST]))
        )
        return left

    def _log(self) -> Path:
        return self._run.place.log(self._wp, f"implement-{self._number()}")

    def _number(self) -> int:
        return self._run.remember(self._wp).attempts["implement"]

    async def hand_in(self, at: Assignment) -> HandedIn:
        """in_progress to for_review, subtasks ticked first where the host keeps them by itself."""
        head = await at.workspace.head()
        async with self._calls.host.quiet():
            await self._git.repository.keep(self._run.board.mission, self._wp, head)
        await self._delivery.deliver(self._wp, head, "hand_in")
        policy = self._run.profile.policy.payload(self._agents.family())
        if at.task.subtasks:
            await self._calls.call(
                "tick", self._wp, None, lambda: self._calls.host.tick(self._wp, at.task.subtasks)
            )
        await self._calls.call(
            "hand_in", self._wp, Lane.FOR_REVIEW, lambda: self._calls.host.hand_in(self._wp, policy)
        )
        return HandedIn()


def _refusal(
    touched: tuple[str, ...], shown: tuple[str, ...], trouble: Sequence[Trouble]
) -> tuple[FailureClass, str] | None:
    """Why the work must not be handed in, whatever else is in it."""
    if touched:
        return FailureClass.FORBIDDEN_CHANGE, _forbidden(touched)
    if shown:
        return FailureClass.FORBIDDEN_CHANGE, _private(shown)
    if failing := [one for one in trouble if one.kind in TROUBLE]:
        return TROUBLE[failing[0].kind], "; ".join(one.text for one in failing)
    return None


def _private(shown: tuple[str, ...]) -> str:
    return (
        f"it made git show {', '.join(shown[:10])}: the profile copies that into the workspace, and it is "
        "never committed. Have git ignore it again (in .gitignore), and do the task without changing that."
    )


def _forbidden(touched: tuple[str, ...]) -> str:
    shown = ", ".join(touched[:10]) + (f" and {len(touched) - 10} more" if len(touched) > 10 else "")
    return (
        f"it changed {shown}: files under kitty-specs/ belong to spec-kitty. The runner has put them back "
        "and kept all other changes; finish the task without touching them."
    )
