"""What follows a failed attempt: the retry table's row, the next agent, the breaker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import assert_never

from kitty_run.engine.decisions.circuit_breaker import limited_for
from kitty_run.engine.decisions.fast_failures import NO_PACE, Pace, pace
from kitty_run.engine.decisions.retry import Decision, agent_counter, decide, decided, row_for
from kitty_run.engine.lifecycle.attempts.role import RoleScope
from kitty_run.engine.lifecycle.outcomes import Failed
from kitty_run.engine.state.events import AttemptInterrupted, FamilyLimited, RetryTable, SessionDropped
from kitty_run.execution.workspace_protocol import workspace_name
from kitty_run.machine import MachineFault
from kitty_run.profile.model import Action, FailureClass, RetryRow

SPARES_SESSION = frozenset(
    {
        FailureClass.RATE_LIMITED,
        FailureClass.OVERLOADED,
        FailureClass.NETWORK,
        FailureClass.AUTH,
        FailureClass.NOT_INSTALLED,
    }
)
"""Failures that say nothing of the conversation that was taken up again."""


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """An attempt that came to nothing. `reason` is for people and for the next attempt's prompt.

    `resets_at` is when the limit ends that it met, where the agent named that.
    """

    failure: FailureClass
    reason: str
    resets_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Ruling:
    """What the tables say of a failure: by which row and counter, and how long the family is limited."""

    table: RetryTable
    key: str
    counter: str
    decision: Decision
    limited_for: float
    pace: Pace


class Recovery:
    """Settles the failures of one role's attempts for one work package."""

    def __init__(self, scope: RoleScope) -> None:
        self._scope = scope
        self._run = scope.run
        self._wp = scope.wp
        self._role = scope.role
        self._agents = scope.agents

    async def settle(
        self,
        failed: AttemptFailure,
        agent: str,
        note: str,
        *,
        seconds: float | None = None,
        changed: bool = False,
    ) -> Failed:
        """Do what the table says before the next step is taken: wait, or turn to the next agent.

        `note` is for the next attempt's prompt; `changed` says whether this one changed any file, and
        `seconds` how long ago it was started (None: no attempt was made). Where
        the failure concerns the agent's whole family, its breaker opens before anything is awaited.
        Raises `MachineFault`, and nothing is decided, where the machine lets nobody write there.
        """
        ruling = self._rule(failed, agent)
        self._limit(failed, agent, ruling.limited_for)
        if (fault := await self._fault()) is not None:
            number = self._scope.memory.attempts.get(self._role, 0)
            self._run.journal.write(AttemptInterrupted(self._wp, role=self._role, attempt=number))
            raise fault
        ruling = self._pace(ruling, failed, agent, seconds)
        self._drop_session(failed, agent, changed)
        self._record(ruling, failed, agent, note)
        await self._act(ruling.decision, failed, agent)
        reason = self._reason(failed, agent)
        if ruling.decision.action in {Action.PAUSE, Action.BLOCK} and ruling.decision.exhausted:
            reason = "; ".join(filter(None, (reason, self._agents.kept_out())))
        return Failed(ruling.decision.action, reason)

    async def _fault(self) -> MachineFault | None:
        """A failure on a full disk says nothing of the agent."""
        workspace, run = self._scope.memory.workspace, self._run
        name = None if workspace is None else workspace_name(run.repo, workspace)
        return await self._scope.execution.executor.fault(run.place.id, self._wp, name or ".")

    def _rule(self, failed: AttemptFailure, agent: str) -> _Ruling:
        table, key = self._table_key(failed.failure)
        row, counter = self._row(table, key), agent_counter(table, key, self._role, agent)
        repeats, spread = self._scope.memory.repeats.get(counter, 0), self._run.random.uniform(-1, 1)
        left, more = self._until(failed.resets_at), self._agents.has_next()
        decision = decide(row, repeats, spread=spread, until_reset=left, fallback_left=more)
        seconds = limited_for(row, failed.failure, decision, until_reset=left, repeats=repeats, spread=spread)
        return _Ruling(table, key, counter, decision, seconds, NO_PACE)

    def _pace(self, ruling: _Ruling, failed: AttemptFailure, agent: str, seconds: float | None) -> _Ruling:
        """`ruling`, which waits longer where attempts fail as soon as they start, and so may the family.

        Nothing is awaited between this and the record of it: failures at one time are counted each.
        """
        family = self._agents.family_of(agent)
        before = self._run.memory.fast_failures.get(family, 0)
        found = pace(self._run.profile.fast_failures, before, seconds)
        decision = found.applied(ruling.decision)
        if decision.action is Action.WAIT:
            self._limit(failed, agent, decision.wait)
        if found.opens:
            reason = f"{found.in_a_row} attempts in a row failed almost at once, the last of: {failed.reason}"
            self._limit(replace(failed, reason=reason), agent, found.wait, fast_failures=found.in_a_row)
        return replace(ruling, decision=decision, pace=found)

    def _table_key(self, failure: FailureClass) -> tuple[RetryTable, str]:
        in_review_table = self._role == "review" and failure is FailureClass.NO_VERDICT
        return ("review" if in_review_table else "agent", failure.value)

    def _row(self, table: str, key: str) -> RetryRow:
        retry = self._run.profile.retry
        return row_for(retry.review if table == "review" else retry.agent, key)

    def _until(self, resets_at: datetime | None) -> float | None:
        return None if resets_at is None else (resets_at - self._run.now()).total_seconds()

    def _limit(
        self, failed: AttemptFailure, agent: str, seconds: float, fast_failures: int | None = None
    ) -> None:
        """Open the breaker of the agent's family for `seconds`, unless it is open for longer."""
        family = self._agents.family_of(agent)
        until = self._run.now().astimezone(UTC) + timedelta(seconds=seconds)
        known = self._scope.execution.breakers.limited(family)
        if seconds > 0 and (known is None or known.until < until):
            self._run.journal.write(
                FamilyLimited(
                    self._wp,
                    family=family,
                    until=until,
                    failure=failed.failure,
                    reason=failed.reason,
                    fast_failures=fast_failures,
                )
            )

    def _drop_session(self, failed: AttemptFailure, agent: str, changed: bool) -> None:
        """Begin a new conversation after one that was taken up again to no effect: it may be what fails."""
        memory = self._scope.memory
        session = memory.sessions.get(f"{self._role}:{agent}")
        blameless = changed or failed.failure in SPARES_SESSION
        if session is None or self._role not in memory.resumed:
            return
        if failed.failure is FailureClass.CONTEXT_LIMIT or not blameless:
            self._run.journal.write(
                SessionDropped(self._wp, role=self._role, agent=agent, session=session, reason=failed.reason)
            )

    def _record(self, ruling: _Ruling, failed: AttemptFailure, agent: str, note: str) -> None:
        decision, falls_back = ruling.decision, ruling.decision.action is Action.FALLBACK
        event = decided(self._wp, ruling.table, ruling.key, ruling.counter, decision, failed.reason)
        after = self._agents.index() + 1 if falls_back else None
        self._run.journal.write(
            replace(
                event,
                role=self._role,
                note=note,
                next_agent=after,
                family=self._agents.family_of(agent),
                fast_failures=ruling.pace.in_a_row,
            )
        )

    async def _act(self, decision: Decision, failed: AttemptFailure, agent: str) -> None:
        match decision.action:
            case Action.RETRY | Action.REWORK:
                await self._run.control.pause(decision.wait)
            case Action.REFRESH:
                await self._run.control.pause(decision.wait)
                await self._scope.calls.state()
            case Action.FALLBACK:
                await self._scope.calls.note(
                    self._wp,
                    f"{self._role}: {agent} failed ({failed.failure}); {self._agents.agent()} continues",
                )
            case Action.WAIT:
                pass  # at the family's breaker, with all others
            case Action.SKIP | Action.PAUSE | Action.BLOCK | Action.ABORT:
                pass
            case unreachable:
                assert_never(unreachable)

    def _reason(self, failed: AttemptFailure, agent: str) -> str:
        number = self._scope.memory.attempts.get(self._role, 0)
        return f"{self._role} attempt {number} by {agent}: {failed.failure.value}: {failed.reason}"
