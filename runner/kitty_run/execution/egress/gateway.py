"""A sandbox's only way out: a proxy that listens inside its network namespace and connects outside of it.

The first process inside (`entrance.py`) makes the listening socket, where nothing else is, and hands it out
over a Unix socket; from then on the runner accepts the connections itself. Nothing of the proxy is inside,
and the Unix socket takes nobody else.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from kitty_run.agents.model import OnDenied
from kitty_run.execution.egress.allowed_hosts import AllowedHosts
from kitty_run.execution.egress.client_request import HEAD_LIMIT
from kitty_run.execution.egress.proxy import Proxy

HANDOVER_TIMEOUT = 60.0
"""Seconds between the entrance's connection and the socket that it hands out."""


@asynccontextmanager
async def gateway(hosts: AllowedHosts, on_denied: OnDenied) -> AsyncIterator[Path]:
    """The Unix socket to be bound into one sandbox; on leaving, every connection through it ends.

    An error of `on_denied` is raised on leaving.
    """
    with tempfile.TemporaryDirectory(prefix="kitty-run-") as folder:
        path = Path(folder) / "egress"
        proxy = Proxy(hosts, on_denied)
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(path))
            door.listen(1)
            door.setblocking(False)
            serving = asyncio.create_task(_serve(door, proxy))
            try:
                yield path
            finally:
                serving.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await serving
                await proxy.close()


async def _serve(door: socket.socket, proxy: Proxy) -> None:
    """Take the listening socket from the first that connects, and serve what connects to it."""
    connection, _ = await asyncio.get_running_loop().sock_accept(door)
    door.close()
    with connection:
        connection.settimeout(HANDOVER_TIMEOUT)
        _, descriptors, _, _ = await asyncio.to_thread(socket.recv_fds, connection, 1, 1)
        if not descriptors:
            return
        listener = socket.socket(fileno=descriptors[0])
        listener.setblocking(False)
        server = await asyncio.start_server(proxy.accept, sock=listener, limit=HEAD_LIMIT)
        connection.sendall(b"\n")
    async with server:
        await server.serve_forever()
