"""One breaker per agent family: while it is limited, no attempt of that family starts."""

from __future__ import annotations

import asyncio

from kitty_run.engine.control import Control


class Breakers:
    """Remembers until when (event loop time, seconds) each family must wait."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._until: dict[str, float] = {}

    def open(self, family: str, seconds: float) -> None:
        """Let every attempt of `family` wait for at least `seconds` from now."""
        until = asyncio.get_running_loop().time() + seconds
        self._until[family] = max(until, self._until.get(family, 0.0))

    def remaining(self, family: str) -> float:
        """Seconds until `family` may start again; 0 when it may now."""
        left = self._until.get(family, 0.0) - asyncio.get_running_loop().time()
        return max(left, 0.0)

    async def wait(self, family: str) -> None:
        """Return when `family` may start; the time may be put off while waiting."""
        while (left := self.remaining(family)) > 0:
            await self._control.pause(left)
