"""Keeps the host warm: each call is a forked child of one long-lived process instead of a new start."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Literal

from kitty_run.host.transport.environment import host_environment
from kitty_run.host.transport.start import RawReply, Starter
from kitty_run.host.transport.warm.process import Lost, Refused, WarmProcess, start_warm_process
from kitty_run.host.transport.warm.room import Room, make_room
from kitty_run.host.transport.warm.script import NotWarmable, find_console_script

READS = frozenset(
    {"contract-version", "mission-state", "feature-state", "list-ready", "resolve-workspace"},
)
"""Operations of `orchestrator-api` that change nothing, in every contract version: they may be repeated."""

API = "orchestrator-api"
"""The command that the self-test has asked already."""

DIED = -9
"""The exit status given for a call that was under way when the server died: a host that was killed."""


class WarmStarter:
    """Starts host calls warm where it can, and by `fallback` from the first oddity on.

    `env` is the runner's environment, as for `ColdStarter`. The server is started by the first call. `notice`
    gets one line that says why calls are cold. A call that may have reached the host when its server was
    lost is repeated only if it changes nothing; else it comes back as that of a killed host (empty stdout),
    so that the state is read again.
    """

    def __init__(
        self,
        command: tuple[str, ...],
        env: Mapping[str, str],
        fallback: Starter,
        notice: Callable[[str], None],
    ) -> None:
        self._command = command
        self._env = dict(env)
        self._fallback = fallback
        self._notice = notice
        self._starting = asyncio.Lock()
        self._warm: WarmProcess | None = None
        self._room: Room | None = None
        self._state: Literal["new", "warm", "cold"] = "new"
        self._closed = False
        self._words = {API: True}

    async def call(self, arguments: tuple[str, ...], cwd: Path, timeout: float) -> RawReply:
        """See `Starter.call`; at the first call, the start of the server has as much time again."""
        async with self._starting:
            if self._state == "new":
                await self._start(cwd, timeout)
        if self._warm is None or self._state != "warm":
            return await self._fallback.call(arguments, cwd, timeout)
        started = time.monotonic()
        try:
            if not await self._knows(self._warm, arguments[0], cwd, timeout):
                return await self._fallback.call(arguments, cwd, timeout)
            return await self._warm.call(arguments, cwd, timeout)
        except Refused as error:
            self._give_up(str(error))
        except Lost as error:
            self._give_up(str(error))
            if self._closed or not _reads(arguments):
                return RawReply("", f"{error}\n", DIED, time.monotonic() - started)
        return await self._fallback.call(arguments, cwd, timeout)

    async def prepare(self, commands: Collection[str], cwd: Path, timeout: float) -> None:
        """See `Preparable.prepare`: those that the server lacks are cold from their first call on."""
        if self._warm is None or self._state != "warm":
            return
        try:
            for word in commands:
                await self._knows(self._warm, word, cwd, timeout)
        except (Refused, Lost) as error:
            self._give_up(str(error))

    async def close(self) -> None:
        """End the server with all that it runs, and the fallback."""
        self._state, self._closed = "cold", True
        await self._end()
        await self._fallback.close()

    async def _start(self, cwd: Path, timeout: float) -> None:
        try:
            if self._warm is None:
                self._warm = await self._start_process(cwd)
            await self._warm.ready(timeout)
        except (NotWarmable, OSError) as error:
            self._give_up(str(error))
            await self._end()
        else:
            self._state = "warm"

    async def _knows(self, warm: WarmProcess, word: str, cwd: Path, timeout: float) -> bool:
        """Whether the server has the command `word`: a host may build only the one that it was started with.

        Asked once for each; the calls of one that it lacks are cold.
        """
        async with self._starting:
            if word not in self._words:
                help_text = await warm.call((word, "--help"), cwd, timeout)
                self._words[word] = help_text.status == 0
                if not self._words[word]:
                    self._notice(
                        f"Calls of `{word}` are started anew, which is slower: the warm host lacks them."
                    )
        return self._words[word]

    async def _start_process(self, cwd: Path) -> WarmProcess:
        if not hasattr(os, "fork"):
            raise NotWarmable("this platform has no fork")
        script = await asyncio.to_thread(find_console_script, self._command, self._env)
        self._room = await asyncio.to_thread(make_room, script)
        env = self._room.environment(host_environment(script.path, self._env))
        return await start_warm_process(script, self._room, env, cwd)

    def _give_up(self, reason: str) -> None:
        """From here on calls are cold, which is said once; warm ones under way continue."""
        if self._warm is not None:
            self._warm.retire()
        if self._state != "cold":
            self._state = "cold"
            self._notice(f"The host is started anew for each call, which is slower: {reason}.")

    async def _end(self) -> None:
        warm, room = self._warm, self._room
        self._warm = self._room = None
        if warm is not None:
            await warm.close()
        if room is not None:
            await asyncio.to_thread(room.remove)


def _reads(arguments: tuple[str, ...]) -> bool:
    return arguments[:1] == (API,) and not READS.isdisjoint(arguments[1:2])
