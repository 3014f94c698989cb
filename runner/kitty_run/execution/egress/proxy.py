"""The proxy between a sandbox and the hosts of its allow-list: HTTP `CONNECT`, plain HTTP and SOCKS5.

Written here because no library fits: those that are kept up to date are applications (mitmproxy, proxy.py),
which can't be given a listening socket, a resolver and a decision for each attempt; those that can (pproxy)
are not.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from kitty_run.agents.model import Denial, OnDenied
from kitty_run.execution.egress.allowed_hosts import Address, AllowedHosts, Denied
from kitty_run.execution.egress.client_request import ClientRequest, Unreadable, read_request

REQUEST_TIMEOUT = 60.0
"""Seconds that a client may take to say what it wants."""
CONNECT_TIMEOUT = 30.0
CONNECTIONS = 64
"""At once, of one attempt; more are hung up on, for each takes two of the files that the runner may open."""
DENIALS = 100
"""Different ones that are reported of one attempt."""
BLOCK = 64 * 1024


class Proxy:
    """Serves the connections of one attempt until it is closed."""

    def __init__(self, hosts: AllowedHosts, on_denied: OnDenied) -> None:
        self._hosts = hosts
        self._on_denied = on_denied
        self._told: set[Denial] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a new connection; for `asyncio.start_server`."""
        if len(self._tasks) >= CONNECTIONS:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failures.append(failure)

    async def close(self) -> None:
        """Hang up everywhere. Raises what `on_denied` raised first."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._failures:
            raise self._failures[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, EOFError):
                await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                request = await read_request(reader, writer)
        except Unreadable as unreadable:
            writer.write(unreadable.answer)
            await writer.drain()
            return
        try:
            server = await self._connect(request)
        except Denied as denied:
            writer.write(request.refused)
            await writer.drain()
            await self._tell(denied.denial)
            return
        except OSError:
            writer.write(request.unreachable)
            await writer.drain()
            return
        try:
            writer.write(request.granted)
            server[1].write(request.forward)
            await _join((reader, writer), server)
        finally:
            server[1].close()

    async def _connect(self, request: ClientRequest) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the first address that takes one. Raises Denied, and OSError where none does."""
        failed: OSError = ConnectionError("no address")
        for address in await self._hosts.addresses(request.host, request.port):
            try:
                return await _open(address, request.port)
            except OSError as error:
                failed = error
        raise failed

    async def _tell(self, denial: Denial) -> None:
        if denial not in self._told and len(self._told) < DENIALS:
            self._told.add(denial)
            await self._on_denied(denial)


async def _open(address: Address, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(CONNECT_TIMEOUT):
        return await asyncio.open_connection(str(address), port)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(client: Streams, server: Streams) -> None:
    """Pass on what either says, until the server has said all; a client may finish before."""
    asking = asyncio.create_task(_pass_on(client[0], server[1]))
    try:
        await _pass_on(server[0], client[1])
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(BLOCK):
        writer.write(block)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
