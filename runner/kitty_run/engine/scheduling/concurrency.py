"""Concurrency limits: how many attempts run at once, per role and per agent."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kitty_run.profile.model import Concurrency, RoleName


@dataclass(order=True, slots=True)
class _Turn:
    """Somebody who waits; the least comes first: reviews, then the longest way left, then who came first."""

    rank: tuple[bool, float, int]
    role: RoleName = field(compare=False)
    agent: str = field(compare=False)
    come: asyncio.Future[None] = field(compare=False)


class Slots:
    """Counts attempts under way against the profile's limits; work packages are the scheduler's.

    An attempt starts when its role and its agent have room, both at once, so that none keeps a place that
    it can't use. Reviews go before implementations: what is nearly done lets others start.
    """

    def __init__(self, limits: Concurrency) -> None:
        self._limits = limits
        self._roles: Counter[str] = Counter()
        self._agents: Counter[str] = Counter()
        self._waiting: list[_Turn] = []
        self._arrivals = 0
        self.ways: Mapping[str, float] = {}
        """Seconds from each work package to the end of the graph, as the scheduler last estimated them."""

    @asynccontextmanager
    async def hold(self, role: RoleName, agent: str, way: float = 0.0) -> AsyncIterator[None]:
        """Wait for a place for `role` and `agent`, and give it back.

        `way` is the seconds expected from here to the end of the dependency graph.
        """
        turn = self._enter(role, agent, way)
        try:
            await turn.come
            yield
        finally:
            self._leave(turn)

    def _enter(self, role: RoleName, agent: str, way: float) -> _Turn:
        self._arrivals += 1
        come = asyncio.get_running_loop().create_future()
        turn = _Turn((role != "review", -way, self._arrivals), role, agent, come)
        insort(self._waiting, turn)
        self._admit()
        return turn

    def _leave(self, turn: _Turn) -> None:
        if turn in self._waiting:  # cancelled before its turn came
            self._waiting.remove(turn)
            return
        self._roles[turn.role] -= 1
        self._agents[turn.agent] -= 1
        self._admit()

    def _admit(self) -> None:
        for turn in tuple(self._waiting):
            if self._has_room(turn):
                self._waiting.remove(turn)
                self._roles[turn.role] += 1
                self._agents[turn.agent] += 1
                if not turn.come.done():
                    turn.come.set_result(None)

    def _has_room(self, turn: _Turn) -> bool:
        limits = self._limits
        return self._roles[turn.role] < limits.roles.get(turn.role, _MANY) and (
            self._agents[turn.agent] < limits.agents.get(turn.agent, _MANY)
        )


_MANY = 1_000_000
