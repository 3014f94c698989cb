"""Something to do before each host call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from kitty_run.host.transport.start import Preparable, RawReply, Starter


class CheckedStarter:
    """Starts calls as `starter` does; before each of them `before` is awaited, and may refuse it."""

    def __init__(self, starter: Starter, before: Callable[[], Awaitable[None]]) -> None:
        self._starter = starter
        self._before = before

    async def call(self, arguments: tuple[str, ...], cwd: Path, timeout: float) -> RawReply:
        """See `Starter.call`."""
        await self._before()
        return await self._starter.call(arguments, cwd, timeout)

    async def prepare(self, commands: Collection[str], cwd: Path, timeout: float) -> None:
        """See `Preparable.prepare`."""
        if isinstance(self._starter, Preparable):
            await self._before()
            await self._starter.prepare(commands, cwd, timeout)

    async def close(self) -> None:
        """See `Starter.close`."""
        await self._starter.close()
