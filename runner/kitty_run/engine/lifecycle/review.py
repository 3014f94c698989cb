"""The reviewer's half: an own prompt, a verdict in writing, and approval or rework."""

from __future__ import annotations

from typing import Literal

from kitty_run.agents.model import Verdict
from kitty_run.engine.context import Execution, Git, Run
from kitty_run.engine.decisions.retry import decide, decided, row_for
from kitty_run.engine.lifecycle.approvals import Approvals
from kitty_run.engine.lifecycle.attempts.agent_choice import AgentChoice
from kitty_run.engine.lifecycle.attempts.attempt import AttemptRunner
from kitty_run.engine.lifecycle.attempts.description import Order
from kitty_run.engine.lifecycle.attempts.handover import note
from kitty_run.engine.lifecycle.attempts.recovery import AttemptFailure, Recovery
from kitty_run.engine.lifecycle.attempts.role import RoleScope
from kitty_run.engine.lifecycle.attempts.setup import prepare, tear_down
from kitty_run.engine.lifecycle.claim import Assignment
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.lifecycle.mission.delivery import Delivery
from kitty_run.engine.lifecycle.outcomes import (
    Approved,
    Judged,
    Limited,
    Outdated,
    Overruled,
    Rejected,
    Stopped,
    Unreviewed,
)
from kitty_run.engine.lifecycle.review_cleanup import ReviewCheckout
from kitty_run.engine.lifecycle.rework import begin_rework, feedback_of
from kitty_run.engine.lifecycle.state_machine import (
    ApproveOutcome,
    ConfirmOutcome,
    RejectOutcome,
    ReviewOutcome,
)
from kitty_run.engine.shutdown import End
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.events import (
    AttemptEnded,
    HeadFound,
    ReviewDiscarded,
    ReviewOutdated,
    VerdictGiven,
)
from kitty_run.engine.state.gate_answers import Answer
from kitty_run.git.protocols import Snapshot
from kitty_run.host.model import Lane, Review
from kitty_run.profile.model import FailureClass
from kitty_run.profile.retry_verbs import Again, verb


class WorkPackageReview:
    """Reviews one work package; nothing but a verdict that fits its schema approves."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a review has to do with
        self, run: Run, calls: HostCalls, git: Git, execution: Execution, approvals: Approvals, wp: str
    ) -> None:
        self._run = run
        self._calls = calls
        self._git = git
        self._execution = execution
        self._approvals = approvals
        self._wp = wp
        scope = RoleScope(run, calls, execution, wp, "review")
        self._attempts = AttemptRunner(run, execution, wp)
        self._agents = scope.agents
        self._choice = AgentChoice(scope)
        self._recovery = Recovery(scope)
        self._checkout = ReviewCheckout(run, calls, wp)
        self._delivery = Delivery(run, calls, git)
        self._announced: set[str] = set()
        self._moves = 0

    async def claim(self, at: Assignment) -> Judged:
        """for_review to in_review, where the host has that lane; repeatable by the same actor."""
        self._run.control.checkpoint()
        policy = self._run.profile.policy.payload(self._agents.family())
        await self._calls.call(
            "claim_review", self._wp, Lane.IN_REVIEW, lambda: self._calls.host.claim_review(self._wp, policy)
        )
        return self._known(await at.workspace.head())

    async def review(self, at: Assignment) -> ReviewOutcome:
        """One attempt of the reviewing agent, unless only the message of its verdict was lost."""
        await self._checkout.put_back(at)
        head = await at.workspace.head()
        known = self._known(head)
        if known.verdict is not None:
            return known
        if (ended := self._ended(head)) is not None:
            return await self._settle(ended, head, ended.seconds)
        agent = await self._choice.agent(self._attempts)
        before = await self._clean(at)
        if isinstance(before, Unreviewed):
            return before
        self._report_dependence()
        outcome = await self._attempt(agent, at, before)
        if isinstance(outcome, Limited):
            return outcome
        return await self._settle(outcome, before.head, self._attempts.elapsed())

    def _ended(self, head: str) -> AttemptEnded | None:
        """The end of a review of `head`, if a run was cut off before it said what came of that."""
        memory = self._run.remember(self._wp)
        ended = memory.ended.get("review")
        if ended is None or memory.begun["review"].head != head:
            return None
        return ended if ended.agent in self._run.profile.agents else None

    async def _settle(self, ended: AttemptEnded, head: str, seconds: float | None) -> ReviewOutcome:
        """What the review of `head` that ended so, and was started `seconds` ago, comes to."""
        verdict, agent = self._verdict(ended), ended.agent
        if isinstance(verdict, AttemptFailure):
            number = self._run.remember(self._wp).attempts["review"]
            log = self._run.place.log(self._wp, f"review-{number}")
            handover = note("review", number, agent, verdict, log)
            return await self._recovery.settle(verdict, agent, handover, seconds=seconds)
        self._approvals.forget("done", self._wp)  # whatever was answered was about an earlier review
        if verdict.verdict == "approved":
            async with self._calls.host.quiet():
                await self._git.repository.keep(self._run.board.mission, self._wp, head)
        self._run.journal.write(
            VerdictGiven(
                self._wp,
                verdict=verdict.verdict,
                summary=verdict.summary,
                findings=verdict.findings,
                commit=head,
                agent=agent,
                independent=self._independence(),
                criteria=verdict.criteria or None,
            )
        )
        return self._known(head)

    def _known(self, head: str) -> Judged:
        """The verdict that is known of exactly the commit `head`."""
        verdict = self._run.remember(self._wp).verdict
        return Judged(None if verdict is None or verdict.commit != head else verdict.verdict)

    def _report_dependence(self) -> None:
        """Say once for each reviewer where independence can't be kept."""
        dependence = self._agents.dependence()
        if dependence and dependence not in self._announced:
            self._announced.add(dependence)
            self._run.notice(dependence, self._wp)

    def _independence(self) -> bool | None:
        """Whether this review was independent; None where the role need not be."""
        return not self._agents.dependence() if self._run.profile.roles["review"].independent else None

    async def _attempt(self, agent: str, at: Assignment, before: Snapshot) -> AttemptEnded | Limited:
        """The attempt, in a checkout apart; what the reviewer changed is thrown away, however it ended."""
        try:
            there = await self._checkout.open(at, before.head, agent)
            order = Order("review", agent, there, await there.workspace.snapshot())
            attempt = await prepare(self._run, self._execution, self._wp, order)
            outcome = await self._attempts.run(order)
            await tear_down(self._run, self._execution, there, attempt, self._run.profile.agents[agent])
        except BaseException:
            await self._checkout.close(at, before)
            if self._run.remember(self._wp).inspected is not None:
                self._run.journal.write(ReviewDiscarded(self._wp, files=()))
            raise
        await self._checkout.close(at, before)
        return outcome

    async def _clean(self, at: Assignment) -> Snapshot | Unreviewed:
        """A snapshot to measure the reviewer by; whatever is uncommitted is saved before."""
        if at.allocation.branch is not None:
            await at.workspace.ensure_branch(at.allocation.branch)
        snapshot = await at.workspace.snapshot()
        if snapshot.dirty:
            return Unreviewed(
                f"{at.workspace.path} has uncommitted changes that nobody would review "
                f"({', '.join(snapshot.dirty[:5])}): commit or remove them, and run again"
            )
        return snapshot

    def _verdict(self, ended: AttemptEnded) -> Verdict | AttemptFailure:
        if ended.failure is not None:
            return AttemptFailure(ended.failure, ended.rule, ended.resets_at)
        reason = ended.no_verdict or "the reviewer left none"
        return ended.verdict or AttemptFailure(FailureClass.NO_VERDICT, reason, ended.resets_at)

    async def approve(self, at: Assignment) -> ApproveOutcome:
        """To done, if the reviewed commit is still what the workspace holds and no gate waits."""
        review = self._review("approved")
        answer = await self._approvals.ask("done", self._wp)
        if isinstance(answer, End):
            return Stopped(answer)
        if not answer.approved:
            self._overrule(answer, await at.workspace.head())
            return Overruled()
        reviewed = self._reviewed()
        if (head := await at.workspace.head()) != reviewed:
            return self._outdated(head, reviewed)
        await self._delivery.deliver(self._wp, reviewed, "approve")
        await self._to_done(review)
        return Approved()

    async def _to_done(self, review: Review) -> None:
        """Bring it to `done`, from where others may have moved it meanwhile."""
        host, moved = self._calls.host, self._run.remember(self._wp).moved
        policy = self._run.profile.policy.payload(self._agents.family())
        if moved is None:
            await self._calls.call(
                "approve", self._wp, Lane.DONE, lambda: host.approve(self._wp, review, policy)
            )
        elif moved is Lane.DONE:
            self._run.moved(self._wp, Lane.DONE)
        else:
            await self._calls.call(
                "confirm", self._wp, Lane.DONE, lambda: host.confirm(self._wp, review, policy)
            )

    def _outdated(self, head: str, reviewed: str) -> Outdated:
        """Whatever came after the verdict was seen by nobody: review again, and ask the gate again."""
        self._approvals.forget("done", self._wp)
        self._moves += 1
        self._run.journal.write(ReviewOutdated(self._wp, reviewed=reviewed, commit=head))
        return Outdated(
            self._moves,
            f"its branch moved after each of {self._moves} reviews (now {head[:10]}, reviewed "
            f"{reviewed[:10]}): end what commits there, then run again",
        )

    async def confirm(self, at: Assignment) -> ConfirmOutcome:
        """approved to done: somebody approved it on the host; the evidence says just that."""
        if self._run.remember(self._wp).reviewed is None:
            found = await at.workspace.head()
            self._run.journal.write(
                HeadFound(self._wp, found, Lane.APPROVED.value, by=self._run.board.actor(self._wp))
            )
        answer = await self._approvals.ask("done", self._wp)
        if isinstance(answer, End):
            return Stopped(answer)
        if not answer.approved:
            return Overruled()
        review = Review("host-lane-approved", "approved", f"{self._wp}-approved-on-host")
        policy = self._run.profile.policy.payload(self._agents.family())
        await self._calls.call(
            "confirm", self._wp, Lane.DONE, lambda: self._calls.host.confirm(self._wp, review, policy)
        )
        return Approved()

    async def reject(self) -> RejectOutcome:
        """Back to in_progress and into rework with all findings, or blocked when the rounds are used up."""
        memory = self._run.remember(self._wp)
        summary = memory.verdict.summary if memory.verdict else ""
        review = self._review("changes_requested")
        row = row_for(self._run.profile.retry.review, "changes_requested")
        decision = decide(row, memory.cycle - 1)
        key = "changes_requested"
        self._run.journal.write(decided(self._wp, "review", key, f"review:{key}", decision, summary))
        rejected = Rejected(decision.action, f"after review {memory.cycle}: {feedback_of(memory)}")
        if verb(decision.action).again is not Again.WORK:
            return rejected
        if memory.moved is Lane.DONE:
            return Stopped(End(EndCode.MOVED_BY_OTHERS, _moved_too_far(rejected.review)))
        policy = self._run.profile.policy.payload(self._agents.family())
        await self._calls.call(
            "reject", self._wp, Lane.IN_PROGRESS, lambda: self._calls.host.reject(self._wp, review, policy)
        )
        begin_rework(self._run, self._wp)
        await self._calls.note(self._wp, f"review {memory.cycle - 1} requests changes: {summary}")
        return rejected

    def _overrule(self, answer: Answer, head: str) -> None:
        """A person's no outweighs the reviewer's yes."""
        self._run.journal.write(
            VerdictGiven(
                self._wp,
                verdict="changes_requested",
                summary=answer.note or "rejected at the gate `done`",
                findings=(),
                commit=head,
                agent=answer.by,
            )
        )

    def _reviewed(self) -> str:
        """The commit that the verdict is on; empty without one."""
        verdict = self._run.remember(self._wp).verdict
        return verdict.commit if verdict else ""

    def _review(self, verdict: Literal["approved", "changes_requested"]) -> Review:
        memory = self._run.remember(self._wp)
        reviewer = memory.verdict.agent if memory.verdict else self._agents.agent()
        return Review(reviewer, verdict, f"{self._wp}-review-{memory.cycle}")


def _moved_too_far(review: str) -> str:
    return (
        f"changes are requested {review}\nBut others moved it to done during an attempt of this run, and "
        "only a person can take it out of there. Move it back to in_progress on the host, then run again"
    )
