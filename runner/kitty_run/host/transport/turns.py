"""Who may use the repository's root checkout when: many readers, or one that must be alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """A lock that readers share; in the order of arrival, so that nobody waits for ever.

    A task that is alone and asks for another turn would wait for itself: RuntimeError instead.
    """

    def __init__(self) -> None:
        self._door = asyncio.Lock()
        self._readers = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._owner: asyncio.Task[object] | None = None

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Nobody else meanwhile."""
        self._check()
        async with self._door:
            await self._empty.wait()
            self._owner = asyncio.current_task()
            try:
                yield
            finally:
                self._owner = None

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Others that share, but nobody who must be alone."""
        self._check()
        async with self._door:
            self._readers += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                self._empty.set()

    def _check(self) -> None:
        if self._owner is not None and self._owner is asyncio.current_task():
            raise RuntimeError("a host call inside quiet(): it would wait for itself")
