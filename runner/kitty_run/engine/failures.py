"""What follows a failed attempt: the retry table's row, the next agent, the breaker."""

from __future__ import annotations

from datetime import datetime

from kitty_run.agents.model import Outcome
from kitty_run.engine.control import Ended, Result
from kitty_run.engine.desk import Blocked, Desk, Refresh, RunAborted
from kitty_run.engine.retry import Decision, decide, row_for
from kitty_run.engine.services import Services
from kitty_run.errors import ExitStatus
from kitty_run.profile.model import Action, FailureClass, RetryRow, RoleName


class Failed(Exception):
    """An attempt that came to nothing. `reason` is for people and for the next attempt's prompt."""

    def __init__(self, failure: FailureClass, reason: str, outcome: Outcome | None = None) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason
        self.resets_at: datetime | None = outcome.resets_at if outcome else None


class Failures:
    """Picks one role's agents for one work package, and settles their failures."""

    def __init__(self, services: Services, desk: Desk, wp: str, role: RoleName) -> None:
        self._s = services
        self._desk = desk
        self._wp = wp
        self._role: RoleName = role

    def agent(self) -> str:
        """The role's current agent: the first, or the fallback that the table led to."""
        candidates = self._candidates()
        return candidates[min(self._index(), len(candidates) - 1)]

    def family(self) -> str:
        """The family of the role's current agent."""
        return self._s.profile.agents[self.agent()].family

    def independent(self) -> bool:
        """Whether the role's current agent is of another family than the WP's implementer."""
        return self.family() != self._implementing_family()

    async def settle(self, failed: Failed, agent: str) -> None:
        """Wait, or turn to the next agent, as the table says; on return the step is taken again.

        Raises `Blocked`, `Ended`, `Refresh` or `RunAborted` where the table says so.
        """
        table, key = self._table_key(failed.failure)
        row = self._row(table, key)
        counter = f"{table}:{key}:{self._role}:{agent}"
        decision = decide(
            row,
            self._s.remember(self._wp).repeats.get(counter, 0),
            spread=self._s.random.uniform(-1, 1),
            until_reset=self._until(failed.resets_at),
            fallback_left=self._index() + 1 < len(self._candidates()),
        )
        self._record(table, key, counter, decision, failed)
        await self._act(decision, failed, agent)

    def _table_key(self, failure: FailureClass) -> tuple[str, str]:
        in_review_table = self._role == "review" and failure is FailureClass.NO_VERDICT
        return ("review" if in_review_table else "agent", failure.value)

    def _row(self, table: str, key: str) -> RetryRow:
        retry = self._s.profile.retry
        return row_for(retry.review if table == "review" else retry.agent, key)

    def _candidates(self) -> tuple[str, ...]:
        """The role's agents; of an independent role those of another family, where there are any."""
        role = self._s.profile.roles[self._role]
        if not role.independent:
            return role.agents
        family = self._implementing_family()
        others = tuple(name for name in role.agents if self._s.profile.agents[name].family != family)
        return others or role.agents

    def _implementing_family(self) -> str:
        profile = self._s.profile
        name = self._s.remember(self._wp).implementer or profile.roles["implement"].agents[0]
        return profile.agents[name].family if name in profile.agents else ""

    def _index(self) -> int:
        return self._s.remember(self._wp).agent.get(self._role, 0)

    def _until(self, resets_at: datetime | None) -> float | None:
        return None if resets_at is None else (resets_at - self._s.now()).total_seconds()

    def _record(self, table: str, key: str, counter: str, decision: Decision, failed: Failed) -> None:
        data: dict[str, object] = {
            "table": table,
            "key": key,
            "counter": counter,
            "action": decision.action.value,
            "wait": round(decision.wait, 3),
            "repeat": decision.repeat,
            "reason": failed.reason,
            "role": self._role,
            "note": failed.reason,
        }
        if decision.action is Action.FALLBACK:
            data["next_agent"] = self._index() + 1
        self._s.journal.write("retry.decided", self._wp, **data)

    async def _act(self, decision: Decision, failed: Failed, agent: str) -> None:
        match decision.action:
            case Action.RETRY:
                await self._s.control.pause(decision.wait)
            case Action.WAIT:
                self._s.breakers.open(self._s.profile.agents[agent].family, decision.wait)
            case Action.FALLBACK:
                await self._desk.note(
                    self._wp, f"{self._role}: {agent} failed ({failed.failure}); {self.agent()} goes on"
                )
            case Action.REWORK:
                return
            case Action.REFRESH:
                await self._s.control.pause(decision.wait)
                raise Refresh
            case Action.SKIP:
                raise Ended(Result.SKIPPED, self._reason(failed, agent))
            case Action.ABORT:
                raise RunAborted(f"{self._wp}: {self._reason(failed, agent)}", ExitStatus.INCOMPLETE)
            case Action.BLOCK:
                raise Blocked(self._reason(failed, agent))

    def _reason(self, failed: Failed, agent: str) -> str:
        number = self._s.remember(self._wp).attempts.get(self._role, 0)
        return f"{self._role} attempt {number} by {agent}: {failed.failure.value}: {failed.reason}"
