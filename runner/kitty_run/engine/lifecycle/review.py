"""The reviewer's half: an own prompt, a verdict in writing, and approval or rework."""

from __future__ import annotations

from typing import Literal, assert_never

from kitty_run.agents.model import Outcome, Verdict
from kitty_run.agents.results.verdict import NoVerdict
from kitty_run.engine.context import Services
from kitty_run.engine.decisions.retry import decide, row_for
from kitty_run.engine.decisions.reviewer_independence import Staffing
from kitty_run.engine.lifecycle.approvals import Gates
from kitty_run.engine.lifecycle.attempts.agent_choice import Choosing
from kitty_run.engine.lifecycle.attempts.attempt import AttemptRunner, FamilyLimited
from kitty_run.engine.lifecycle.attempts.description import Order
from kitty_run.engine.lifecycle.attempts.handover import note
from kitty_run.engine.lifecycle.attempts.recovery import Failed, Failures
from kitty_run.engine.lifecycle.claim import Assignment
from kitty_run.engine.lifecycle.host_calls import Blocked, Desk, RunAborted
from kitty_run.engine.lifecycle.review_cleanup import put_back
from kitty_run.engine.lifecycle.rework import begin_rework, feedback_of
from kitty_run.engine.lifecycle.state_machine import Step, before_review
from kitty_run.engine.shutdown import EndCode, Ended
from kitty_run.engine.state.events import (
    HeadFound,
    RetryDecided,
    ReviewDiscarded,
    ReviewOutdated,
    VerdictGiven,
)
from kitty_run.engine.state.gate_answers import Answer
from kitty_run.errors import ExitStatus
from kitty_run.git.protocols import Snapshot
from kitty_run.host.model import Lane, Review
from kitty_run.profile.model import Action, FailureClass

MOVES = 3
"""Reviews of one work package that may come to nothing since its branch moved meanwhile."""


class Reviewing:
    """Reviews one work package; nothing but a verdict that fits its schema approves."""

    def __init__(self, services: Services, desk: Desk, wp: str) -> None:
        self._s = services
        self._desk = desk
        self._wp = wp
        self._attempts = AttemptRunner(services, wp)
        self._staffing = Staffing(services, wp, "review")
        self._choosing = Choosing(services, desk, wp, "review")
        self._failures = Failures(services, desk, wp, "review")
        self._told: set[str] = set()
        self._gates = Gates(services, desk)
        self._moves = 0

    async def claim(self, at: Assignment) -> Step:
        """for_review to in_review, where the host has that lane; repeatable by the same actor."""
        self._s.control.checkpoint()
        policy = self._s.profile.policy.payload(self._staffing.family())
        await self._desk.call(
            "claim_review", self._wp, Lane.IN_REVIEW, lambda: self._s.host.claim_review(self._wp, policy)
        )
        return before_review(self._s.remember(self._wp), await at.workspace.head())

    async def review(self, at: Assignment) -> Step:
        """One attempt of the reviewing agent; approve, reject, or what the retry table says."""
        await put_back(self._s, self._wp, at)
        remembered = before_review(self._s.remember(self._wp), await at.workspace.head())
        if remembered is not Step.REVIEW:
            return remembered
        agent = await self._choosing.agent(self._attempts)
        before = await self._clean(at)
        self._tell_dependence()
        try:
            outcome = await self._run(Order("review", agent, at, before), before)
            verdict = self._verdict(outcome)
        except FamilyLimited:
            return Step.REVIEW
        except Failed as failed:
            number = self._s.remember(self._wp).attempts["review"]
            log = self._s.place.log(self._wp, f"review-{number}")
            await self._failures.settle(failed, agent, note("review", number, agent, failed, log))
            return Step.REVIEW
        self._gates.forget("done", self._wp)  # whatever was answered was about an earlier review
        self._s.journal.write(
            VerdictGiven(
                self._wp,
                verdict=verdict.verdict,
                summary=verdict.summary,
                findings=verdict.findings,
                commit=before.head,
                agent=agent,
                independent=self._independence(),
            )
        )
        return before_review(self._s.remember(self._wp), before.head)

    def _tell_dependence(self) -> None:
        """Say once for each reviewer where independence can't be kept."""
        dependence = self._staffing.dependence()
        if dependence and dependence not in self._told:
            self._told.add(dependence)
            self._s.notice(dependence, self._wp)

    def _independence(self) -> bool | None:
        """Whether this review was independent; None where the role need not be."""
        return not self._staffing.dependence() if self._s.profile.roles["review"].independent else None

    async def _run(self, order: Order, before: Snapshot) -> Outcome:
        """The attempt; whatever the reviewer changed is thrown away, however it ended."""
        try:
            return await self._attempts.run(order)
        finally:
            await self._discard(order.at, before)

    async def _clean(self, at: Assignment) -> Snapshot:
        """A snapshot to measure the reviewer by; whatever lies about uncommitted is saved before."""
        if at.allocation.branch is not None:
            await at.workspace.ensure_branch(at.allocation.branch)
        snapshot = await at.workspace.snapshot()
        if snapshot.dirty:
            raise Blocked(
                EndCode.UNREVIEWED_CHANGES,
                f"{at.workspace.path} has uncommitted changes that nobody would review "
                f"({', '.join(snapshot.dirty[:5])}): commit or remove them, and run again",
            )
        return snapshot

    async def _discard(self, at: Assignment, before: Snapshot) -> None:
        changed = await at.workspace.discard(before)
        if changed:
            self._s.journal.write(ReviewDiscarded(self._wp, files=tuple(changed)))

    def _verdict(self, outcome: Outcome) -> Verdict:
        if outcome.failure is not None:
            raise Failed(outcome.failure, outcome.rule, outcome)
        found = self._attempts.verdict(outcome.message)
        if isinstance(found, NoVerdict):
            raise Failed(FailureClass.NO_VERDICT, found.reason, outcome)
        return found

    async def approve(self, at: Assignment) -> Step:
        """To done, if the reviewed commit is still what the workspace holds and no gate waits."""
        review = self._review("approved")
        answer = await self._gates.ask("done", self._wp)
        if not answer.approved:
            self._overrule(answer, await at.workspace.head())
            return Step.REJECT
        if (head := await at.workspace.head()) != (self._s.remember(self._wp).verdict or {}).get("commit"):
            return self._outdated(head)
        policy = self._s.profile.policy.payload(self._staffing.family())
        await self._desk.call(
            "approve", self._wp, Lane.DONE, lambda: self._s.host.approve(self._wp, review, policy)
        )
        return Step.END

    def _outdated(self, head: str) -> Step:
        """Whatever came after the verdict was seen by nobody: review again, and ask the gate again."""
        self._gates.forget("done", self._wp)
        self._moves += 1
        reviewed = str((self._s.remember(self._wp).verdict or {}).get("commit"))
        self._s.journal.write(ReviewOutdated(self._wp, reviewed=reviewed, commit=head))
        if self._moves > MOVES:
            raise Blocked(
                EndCode.UNREVIEWED_CHANGES,
                f"its branch moved after each of {self._moves} reviews (now {head[:10]}, reviewed "
                f"{reviewed[:10]}): end what commits there, then run again",
            )
        return Step.REVIEW

    async def confirm(self, at: Assignment) -> Step:
        """approved to done: somebody approved it on the host; the evidence says just that."""
        if self._s.remember(self._wp).reviewed is None:
            found = await at.workspace.head()
            self._s.journal.write(HeadFound(self._wp, commit=found, lane=Lane.APPROVED.value))
        if not (await self._gates.ask("done", self._wp)).approved:
            raise Blocked(
                EndCode.REJECTED_AFTER_APPROVAL, "the gate `done` was rejected after its approval on the host"
            )
        review = Review("host-lane-approved", "approved", f"{self._wp}-approved-on-host")
        policy = self._s.profile.policy.payload(self._staffing.family())
        await self._desk.call(
            "confirm", self._wp, Lane.DONE, lambda: self._s.host.confirm(self._wp, review, policy)
        )
        return Step.END

    async def reject(self, _: Assignment) -> Step:
        """Back to in_progress and into rework with all findings, or blocked when the rounds are used up."""
        memory = self._s.remember(self._wp)
        review = self._review("changes_requested")
        row = row_for(self._s.profile.retry.review, "changes_requested")
        decision = decide(row, memory.cycle - 1)
        self._s.journal.write(
            RetryDecided(
                self._wp,
                table="review",
                key="changes_requested",
                counter="review:changes_requested",
                action=decision.action,
                wait=decision.wait,
                repeat=decision.repeat,
                reason=str((memory.verdict or {}).get("summary", "")),
            )
        )
        self._act(decision.action, f"after review {memory.cycle}: {feedback_of(memory)}")
        policy = self._s.profile.policy.payload(self._staffing.family())
        await self._desk.call(
            "reject", self._wp, Lane.IN_PROGRESS, lambda: self._s.host.reject(self._wp, review, policy)
        )
        summary = (memory.verdict or {}).get("summary", "")
        begin_rework(self._s, self._wp)
        await self._desk.note(self._wp, f"review {memory.cycle - 1} requests changes: {summary}")
        return Step.IMPLEMENT

    def _act(self, action: Action, after: str) -> None:
        """Return where rework follows; raise what else the table says."""
        match action:
            case Action.REWORK:
                return
            case Action.SKIP:
                raise Ended(EndCode.SKIPPED, f"left as it is {after}")
            case Action.ABORT:
                raise RunAborted(f"{self._wp}: no round of rework is left {after}", ExitStatus.INCOMPLETE)
            case Action.BLOCK | Action.FALLBACK | Action.RETRY | Action.WAIT | Action.REFRESH:
                raise Blocked(EndCode.REWORK_USED_UP, f"no round of rework is left {after}")
            case unreachable:
                assert_never(unreachable)

    def _overrule(self, answer: Answer, head: str) -> None:
        """A person's no outweighs the reviewer's yes."""
        self._s.journal.write(
            VerdictGiven(
                self._wp,
                verdict="changes_requested",
                summary=answer.note or "rejected at the gate `done`",
                findings=(),
                commit=head,
                agent=answer.by,
            )
        )

    def _review(self, verdict: Literal["approved", "changes_requested"]) -> Review:
        memory = self._s.remember(self._wp)
        reviewer = str((memory.verdict or {}).get("agent", self._staffing.agent()))
        return Review(reviewer, verdict, f"{self._wp}-review-{memory.cycle}")
