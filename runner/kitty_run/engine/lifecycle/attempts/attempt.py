"""One attempt of an agent: described, handed to the executor, announced and recorded in the journal."""

from __future__ import annotations

import asyncio
from datetime import datetime

from kitty_run.agents.launch.task import reported
from kitty_run.agents.model import AttemptContext, Verdict, added
from kitty_run.agents.results.verdict import NoVerdict, judge
from kitty_run.engine.context import Execution, Run
from kitty_run.engine.decisions.cost import used
from kitty_run.engine.lifecycle.attempts.budget_check import check, look
from kitty_run.engine.lifecycle.attempts.description import Order, attempt_spec, facts
from kitty_run.engine.lifecycle.attempts.process_record import AttemptRecord
from kitty_run.engine.lifecycle.outcomes import Limited
from kitty_run.engine.shutdown import End, Stop
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.events import AttemptEnded, AttemptInterrupted, AttemptStarted
from kitty_run.execution.protocol import AttemptResult, AttemptSpec, Brought
from kitty_run.profile.model import Agent

NAP = 30.0
"""Seconds after which somebody who waits looks at the clock and at the run's limits again."""


class _FamilyLimited(Exception):
    """Leaves the executor before it starts anything: the agent's family became limited meanwhile."""


class AttemptRunner:
    """Runs attempts for one work package."""

    def __init__(self, run: Run, execution: Execution, wp: str) -> None:
        self._run = run
        self._execution = execution
        self._wp = wp
        self._began: float | None = None

    async def run(self, order: Order) -> AttemptEnded | Limited:
        """One attempt, from waiting for a place to its end; what it did is in the workspace then.

        `Limited` where the agent's family became limited before it could start. Raises `Stop` where the run
        is stopping or a limit is reached. Cancelling ends the agent's whole process tree first.
        """
        agent, slots = self._run.profile.agents[order.agent], self._execution.slots
        async with slots.hold(order.role, order.agent, slots.ways.get(self._wp, 0.0)):
            self._check_limits()
            try:
                self._check_breaker(agent)
                return await self._attempt(order, agent)
            except _FamilyLimited:
                return Limited()

    async def outlived(self, order: Order, started: AttemptStarted) -> AttemptEnded | None:
        """The end of an attempt that a killed runner started, if it ended well before this session began.

        None: it was cut off, failed (perhaps since nobody was there any more), or nobody knows.
        """
        spec = await attempt_spec(
            self._run, self._wp, order, self._run.profile.agents[started.agent], started.attempt
        )
        result = await self._execution.executor.finished(spec) if spec.marker == started.marker else None
        if result is None or result.outcome.failure is not None:
            return None
        ended = _ended(self._run, spec, result)
        self._run.journal.write(ended)
        self._run.notice(
            f"{started.role} {started.attempt} ended well after its runner was killed: it is not repeated",
            self._wp,
        )
        return ended

    async def rest(self, until: datetime) -> None:
        """Wait until `until`, but not for long at a time: the clock may be put, or the machine have slept.

        Raises `Stop` where the run is stopping or a limit is reached meanwhile.
        """
        self._check_limits()
        await self._run.control.pause(min((until - self._run.now()).total_seconds(), NAP))

    def elapsed(self) -> float | None:
        """Seconds since the latest attempt was announced; None where none was."""
        return None if self._began is None else asyncio.get_running_loop().time() - self._began

    def context(self, order: Order, number: int) -> AttemptContext:
        """What templates that the engine renders may refer to."""
        return facts(self._run, self._wp, order, number).located(order.at.workspace.path)

    def _check_breaker(self, agent: Agent) -> None:
        if self._execution.breakers.limited(agent.family) is not None:
            raise _FamilyLimited

    def _check_limits(self) -> None:
        check(self._run, self._wp)

    async def _attempt(self, order: Order, agent: Agent) -> AttemptEnded:
        spec = await attempt_spec(self._run, self._wp, order, agent)
        ended = await self._execute(order, spec)
        look(self._run)
        if ended.ending == "stopped":
            raise Stop(End(EndCode.INTERRUPTED, "interrupted"))
        return ended

    async def _execute(self, order: Order, spec: AttemptSpec) -> AttemptEnded:
        def may_start() -> None:
            self._check_breaker(spec.agent)
            self._check_limits()  # once more: others may have started while this one was prepared

        record = AttemptRecord(self._run, spec, may_start)
        self._began = asyncio.get_running_loop().time()
        try:
            result = await self._supervise(spec, record)
            ended = _ended(self._run, spec, result)
            try:
                await _land(order, result.brought)
            finally:
                self._run.journal.write(ended)
        finally:
            record.over()
        return ended

    async def _supervise(self, spec: AttemptSpec, record: AttemptRecord) -> AttemptResult:
        try:
            return await self._execution.executor.attempt(spec, record)
        except asyncio.CancelledError:
            if record.announced:
                facts = spec.attempt
                self._run.journal.write(AttemptInterrupted(facts.wp, role=facts.role, attempt=facts.attempt))
            raise


async def _land(order: Order, brought: Brought | None) -> None:
    """Have the workspace hold what was done in a copy of it. A reviewer's changes are thrown away anyway."""
    if brought is not None and order.role == "implement":
        await order.at.workspace.land(order.before, brought.head, brought.tree)


def _ended(run: Run, spec: AttemptSpec, result: AttemptResult) -> AttemptEnded:
    outcome, agent = result.outcome, spec.agent
    before = run.memory.ledger.used_in(agent.name, outcome.session)
    own = used(outcome, agent.output.totals, before, run.profile.prices)
    tokens = added(own.models)
    verdict = _verdict(spec, result)
    return AttemptEnded(
        spec.attempt.wp,
        role=spec.attempt.role,
        agent=spec.agent.name,
        attempt=spec.attempt.attempt,
        failure=outcome.failure,
        rule=outcome.rule,
        ending=outcome.exit.ending,
        status=outcome.exit.status,
        signal=outcome.exit.signal,
        seconds=round(outcome.exit.seconds, 3),
        log=outcome.exit.stdout,
        session=outcome.session,
        cost_usd=own.cost_usd,
        input_tokens=tokens.input_tokens,
        output_tokens=tokens.output_tokens,
        cached_tokens=tokens.cached_tokens,
        models=own.models or None,
        cost_source=own.source,
        resets_at=outcome.resets_at,
        undone=_undone(spec, outcome.message) or None,
        verdict=verdict if isinstance(verdict, Verdict) else None,
        no_verdict=verdict.reason if isinstance(verdict, NoVerdict) else None,
        left_out=outcome.exit.left_out or None,
    )


def _undone(spec: AttemptSpec, message: str | None) -> tuple[str, ...]:
    """The subtasks that an implementer says itself are not done."""
    said = reported(message or "", spec.task.subtasks) if spec.attempt.role == "implement" else {}
    return tuple(subtask for subtask, done in said.items() if not done)


def _verdict(spec: AttemptSpec, result: AttemptResult) -> Verdict | NoVerdict | None:
    """The verdict of a review that ended well; None of all other attempts."""
    if spec.verdict_code is None or result.outcome.failure is not None:
        return None
    return judge(result.verdict, spec.verdict_code, result.outcome.message)
