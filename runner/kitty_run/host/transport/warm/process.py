"""The runner's side of one warm host: its process, the requests under way, and its end."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from kitty_run.host.transport.start import RawReply
from kitty_run.host.transport.warm.check import disagreement
from kitty_run.host.transport.warm.room import Room
from kitty_run.host.transport.warm.script import ConsoleScript, NotWarmable
from kitty_run.process_group import signal_group

START_UP = ("--version",)
"""What the script is started with; it stops before it runs it. No command: a host may build that one only."""

LINE_LIMIT = 1 << 28
"""Bytes of the longest reply line that is read: two outputs of `warm_call.LIMIT`, escaped as JSON."""

GRACE = 10.0
"""Seconds that the server may be late in ending a call whose time is up."""

STEP, STEPS = 0.02, 100
"""Seconds between two looks at processes that must end, and how often to look."""

Message = dict[str, Any]


class Refused(Exception):
    """The call was not started; `str(error)` says why."""


class Lost(Exception):
    """The server went away, or fell silent, during the call, which may have taken effect."""


class WarmProcess:
    """A running server; made by `start_warm_process`. Calls may overlap."""

    def __init__(self, process: asyncio.subprocess.Process, log: IO[bytes]) -> None:
        self._process = process
        self._log = log
        self._answer: Message | None = None
        self._answered = asyncio.Event()
        self._replies: dict[int, asyncio.Future[Message]] = {}
        self._numbers = itertools.count(1)
        self._children: dict[int, int | None] = {}
        self._cancelled: set[int] = set()
        self._reader = asyncio.create_task(self._read())

    async def ready(self, timeout: float) -> None:
        """Wait until it takes calls; raises `NotWarmable`. May be called again where it was cancelled."""
        try:
            await asyncio.wait_for(self._answered.wait(), timeout)
        except TimeoutError as error:
            raise NotWarmable(f"it did not start within {timeout:g} s") from error
        if self._answer is None:
            raise NotWarmable(f"it ended while it started{self._last_words()}")
        unfit = self._answer.get("unfit") or disagreement(self._answer["ready"])
        if unfit is not None:
            raise NotWarmable(unfit)

    async def call(self, arguments: tuple[str, ...], cwd: Path, timeout: float) -> RawReply:
        """One call of the script; raises `Refused` or `Lost`. Cancelling it ends its process group first."""
        number = next(self._numbers)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        try:
            self._send({"id": number, "arguments": arguments, "cwd": str(cwd), "timeout": timeout})
            async with asyncio.timeout(timeout + GRACE):
                return _raw(await asyncio.shield(reply))
        except TimeoutError as error:
            await self._kill()
            raise Lost("the warm host fell silent") from error
        except asyncio.CancelledError:
            self._cancelled.add(number)
            self._kill_children(number)
            await asyncio.wait([reply], timeout=GRACE)
            raise
        finally:
            del self._replies[number]

    def retire(self) -> None:
        """Take no more calls; those under way continue to their ends."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def close(self) -> None:
        """End it, and all that it started, and wait until they have ended; safe to call twice."""
        self.retire()
        for number in set(self._children.values()):
            self._kill_children(number)
        if self._answer is None:  # still in the script's start-up: it would not look at its input
            await self._kill()
        try:
            await asyncio.wait_for(self._process.wait(), GRACE)
        except TimeoutError:
            await self._kill()
        await self._reader
        self._log.close()

    async def _kill(self) -> None:
        signal_group(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await self._reader

    def _kill_children(self, number: int | None) -> None:
        for pid, of in self._children.items():
            if of == number:
                signal_group(pid, signal.SIGKILL)

    def _send(self, message: Message) -> None:
        stdin = self._process.stdin
        if stdin is None or stdin.is_closing() or self._reader.done():
            raise Refused("the warm host has ended")
        stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self) -> None:
        """Hand out the server's answers until it ends; then end what it left running."""
        replies = self._process.stdout
        try:
            while replies is not None and (line := await replies.readline()):
                self._take(json.loads(line))
        except ValueError:  # no JSON, or longer than the limit: it can't be understood any more
            signal_group(self._process.pid, signal.SIGKILL)
        await self._end_children()
        self._answered.set()
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(Lost(f"the warm host died during the call{self._last_words()}"))

    def _take(self, message: Message) -> None:
        number = message.get("id")
        if "started" in message:
            self._children[message["started"]] = number
            if number in self._cancelled:
                self._kill_children(number)
        elif "ended" in message:
            del self._children[message["ended"]]
        elif number is None:
            self._answer = message
            self._answered.set()
        elif number in self._replies and not self._replies[number].done():
            self._replies[number].set_result(message)

    async def _end_children(self) -> None:
        """After the server's end: no call continues unseen while the state is read again."""
        for _ in range(STEPS):
            left = [pid for pid in self._children if signal_group(pid, signal.SIGKILL)]
            if not left:
                break
            await asyncio.sleep(STEP)
        self._children.clear()

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f" ({last})" if last else ""


async def start_warm_process(
    script: ConsoleScript, room: Room, env: Mapping[str, str], cwd: Path
) -> WarmProcess:
    """Start the server in `cwd`; its end of input is the end of this process, whatever ends it.

    Raises OSError where the interpreter can't be started.
    """
    server = Path(__file__).with_name("inside") / "warm_server.py"
    command = [*script.interpreter, str(server), str(script.path), str(room.path), *START_UP]
    log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `WarmProcess.close`
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        cwd=cwd,
        env=env,
        start_new_session=True,
        limit=LINE_LIMIT,
    )
    return WarmProcess(process, log)


def _raw(reply: Message) -> RawReply:
    if "refused" in reply:
        raise Refused(reply["refused"])
    return RawReply(reply["stdout"], reply["stderr"], reply["status"], reply["seconds"])
