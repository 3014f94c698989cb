"""Whose turn it is: the role's agent that may start now, where families are limited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kitty_run.engine.decisions.circuit_breaker import Limited
from kitty_run.engine.decisions.retry import agent_counter, decide, row_for
from kitty_run.engine.lifecycle.attempts.attempt import AttemptRunner
from kitty_run.engine.lifecycle.attempts.role import RoleScope
from kitty_run.engine.state.events import FamilyAwaited, RetryDecided
from kitty_run.profile.model import Action

ANNOUNCED_AGAIN = timedelta(minutes=1)
"""A limit that lasts longer than was reported is reported again only from so much on."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent that may come to the turn: its family's limit (None: it may start), and whether the table
    hands over to the next agent for the sake of that limit."""

    agent: str
    family: str
    limit: Limited | None
    hands_over: bool


def first_free(candidates: Sequence[Candidate]) -> int | None:
    """The place of the first that may start; None where the way to it ends at one that is waited for."""
    for place, candidate in enumerate(candidates):
        if candidate.limit is None:
            return place
        if not candidate.hands_over:
            return None
    return None


def soonest(candidates: Sequence[Candidate]) -> Candidate:
    """Whose limit ends first, of those that are asked before the one that is waited for, and that one.

    Only where `first_free` is None: all of them are limited.
    """
    asked = []
    for candidate in candidates:
        asked.append(candidate)
        if not candidate.hands_over:
            break
    return min(asked, key=_end)


def _end(candidate: Candidate) -> datetime:
    if candidate.limit is None:
        raise ValueError(f"{candidate.agent} is not limited")
    return candidate.limit.until


class AgentChoice:
    """Picks the agent for one role of one work package before each attempt; no attempt is counted here."""

    def __init__(self, scope: RoleScope) -> None:
        self._scope = scope
        self._run = scope.run
        self._wp = scope.wp
        self._role = scope.role
        self._agents = scope.agents
        self._announced: tuple[str, datetime] | None = None

    async def agent(self, attempts: AttemptRunner) -> str:
        """The role's current agent, once its family is not limited; meanwhile the table of its limit decides.

        `fallback` turns to the first agent that may start; while there is none, and for `wait`, this
        waits until the first of them may. No failure of others blocks this work package. Raises `Stop`
        where the run is stopping or its own limit is reached.
        """
        while True:
            self._run.control.checkpoint()
            candidates = self._candidates()
            place = first_free(candidates)
            if place is not None:
                if place:
                    await self._hand_over(candidates, place)
                return candidates[place].agent
            awaited = soonest(candidates)
            self._announce(awaited)
            await attempts.rest(_end(awaited))

    def _candidates(self) -> list[Candidate]:
        """The current agent and those after it."""
        agents, index = self._agents.agents(), self._agents.index()
        return [
            self._candidate(name, is_last=place == len(agents) - 1)
            for place, name in enumerate(agents)
            if place >= index
        ]

    def _candidate(self, agent: str, *, is_last: bool) -> Candidate:
        family = self._agents.family_of(agent)
        limit = self._scope.execution.breakers.limited(family)
        hands_over = limit is not None and self._hands_over(agent, limit, is_last)
        return Candidate(agent, family, limit, hands_over)

    def _hands_over(self, agent: str, limit: Limited, is_last: bool) -> bool:
        memory, counter = self._scope.memory, self._counter(agent, limit)
        used = memory.repeats.get(counter, 0) - (memory.granted.get(self._role) == counter)
        row = row_for(self._run.profile.retry.agent, limit.failure)
        return decide(row, used, fallback_left=not is_last).action is Action.FALLBACK

    def _counter(self, agent: str, limit: Limited) -> str:
        return agent_counter("agent", limit.failure, self._role, agent)

    async def _hand_over(self, candidates: Sequence[Candidate], place: int) -> None:
        left, agent = candidates[0], candidates[place].agent
        if left.limit is None:
            raise ValueError(f"{left.agent} is not limited")
        why = f"family {left.family} is limited until {_in_words(left.limit.until)}; {agent} takes its place"
        self._run.journal.write(
            RetryDecided(
                self._wp,
                table="agent",
                key=left.limit.failure,
                counter=self._counter(left.agent, left.limit),
                action=Action.FALLBACK,
                wait=0.0,
                repeat=0,
                reason=why,
                role=self._role,
                note=self._scope.memory.notes.get(self._role, ""),
                next_agent=self._agents.index() + place,
            )
        )
        await self._scope.calls.note(self._wp, f"{self._role}: {why}")

    def _announce(self, awaited: Candidate) -> None:
        """Say once for whom this work package waits, and again only where that changes."""
        until = _end(awaited)
        last = self._announced
        if last is None or last[0] != awaited.family or until - last[1] >= ANNOUNCED_AGAIN:
            self._announced = (awaited.family, until)
            self._run.journal.write(
                FamilyAwaited(self._wp, family=awaited.family, role=self._role, until=until)
            )


def _in_words(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
