"""One host process for many tests: the start of a real host costs more than twenty calls of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from kitty_run.host.transport.cold import ColdStarter
from kitty_run.host.transport.environment import host_environment, resolve
from kitty_run.host.transport.start import RawReply
from kitty_run.host.transport.warm.starter import WarmStarter


class KeptHost:
    """A starter that clients can't close, on a loop of its own: `runner` runs what uses it."""

    def __init__(self, command: tuple[str, ...], env: Mapping[str, str]) -> None:
        self.command = command
        self.notices: list[str] = []
        self.runner = asyncio.Runner()
        environment = host_environment(resolve(command, env), env)
        self._starter = WarmStarter(command, environment, ColdStarter(command, env), self.notices.append)

    async def call(self, arguments: tuple[str, ...], cwd: Path, timeout: float) -> RawReply:
        """See `Starter.call`."""
        return await self._starter.call(arguments, cwd, timeout)

    async def close(self) -> None:
        """Leave it for the next test."""

    def end(self) -> None:
        """End the host."""
        self.runner.run(self._starter.close())
        self.runner.close()
