"""Concurrency limits: how many attempts run at once, per role and per agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from kitty_run.profile.model import Concurrency, RoleName


class Slots:
    """Counts attempts under way against the profile's limits; work packages are the scheduler's."""

    def __init__(self, limits: Concurrency) -> None:
        self._roles = {role: asyncio.Semaphore(count) for role, count in limits.roles.items()}
        self._agents = {agent: asyncio.Semaphore(count) for agent, count in limits.agents.items()}

    @asynccontextmanager
    async def hold(self, role: RoleName, agent: str) -> AsyncIterator[None]:
        """Wait for a place for `role`, then one for `agent` (always in this order), and give both back."""
        async with AsyncExitStack() as stack:
            for semaphore in (self._roles.get(role), self._agents.get(agent)):
                if semaphore is not None:
                    await stack.enter_async_context(semaphore)
            yield
