"""What the proxy understands and passes on. Servers are on loopback, names are the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from kitty_run.execution.egress.allowed_hosts import AllowedHosts
from kitty_run.execution.egress.client_request import HEAD_LIMIT
from kitty_run.execution.egress.proxy import CONNECTIONS, DENIALS, REQUEST_TIMEOUT, Proxy
from kitty_run.profile.validation.network import host_rule

from tests.execution.sandbox.confining import Names


@dataclass
class World:
    """A server that answers `pong` and hangs up, and a proxy that lets `api.test` through to it."""

    server: int = 0
    proxy: int = 0
    got: list[bytes] = field(default_factory=list)
    names: Names = field(
        default_factory=lambda: Names({"api.test": ("127.0.0.1",), "gone.test": ("127.0.0.1",)})
    )

    async def says(self, sent: bytes) -> bytes:
        """All that the proxy answers to `sent`."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy)
        writer.write(sent.replace(b"PORT", str(self.server).encode()))
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.got.append(await reader.read())
        writer.write(b"pong")
        writer.close()


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    one = World()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.server = server.sockets[0].getsockname()[1]
    rules = [host_rule(f"api.test:{one.server}"), host_rule("gone.test:1"), host_rule("127.0.0.1")]
    proxy = Proxy(AllowedHosts(rules, one.names.resolve), one.names.denied)
    front = await asyncio.start_server(proxy.accept, "127.0.0.1", 0, limit=HEAD_LIMIT)
    one.proxy = front.sockets[0].getsockname()[1]
    async with server, front:
        yield one
        await proxy.close()


def tried(scenario: Callable[[World], Awaitable[None]]) -> None:
    async def running() -> None:
        async with world() as one:
            await scenario(one)

    asyncio.run(running())


def test_a_tunnel_passes_on_both_ways() -> None:
    async def scenario(one: World) -> None:
        answer = await one.says(b"CONNECT api.test:PORT HTTP/1.1\r\nHost: x\r\n\r\nping")
        assert answer == b"HTTP/1.1 200 Connection established\r\n\r\npong"
        assert one.got == [b"ping"]

    tried(scenario)


def test_a_plain_request_is_for_the_host_that_was_checked_and_the_last_of_its_connection() -> None:
    async def scenario(one: World) -> None:
        sent = (
            b"POST http://user@api.test:PORT/a?b=1 HTTP/1.1\r\nHost: other.test\r\nProxy-Authorization: x\r\n"
            b"Connection: keep-alive\r\nX-Own: 1\r\nContent-Length: 4\r\n\r\nbody"
        )
        assert await one.says(sent) == b"pong"
        assert one.got == [
            b"POST /a?b=1 HTTP/1.1\r\nHost: api.test:%d\r\nConnection: close\r\nX-Own: 1\r\n"
            b"Content-Length: 4\r\n\r\nbody" % one.server
        ]

    tried(scenario)


def test_socks5_passes_on_by_name_and_by_address() -> None:
    async def scenario(one: World) -> None:
        port = one.server.to_bytes(2)
        hello, granted = b"\x05\x02\x00\x02", b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00pong"
        assert await one.says(hello + b"\x05\x01\x00\x03\x08api.test" + port + b"ping") == granted
        assert await one.says(hello + b"\x05\x01\x00\x01\x7f\x00\x00\x01" + port + b"ping") == granted
        assert one.got == [b"ping", b"ping"]

    tried(scenario)


def test_what_is_not_listed_is_refused_and_told_once() -> None:
    async def scenario(one: World) -> None:
        for _ in range(2):
            answer = await one.says(b"CONNECT evil.test:443 HTTP/1.1\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 403 ")
            assert b"evil.test:443 is not in this run's network.allow" in answer
        answer = await one.says(b"GET http://evil.test/ HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 403 ")
        name = b"\x05\x01\x00\x05\x01\x00\x03\x09evil.test\x00\x50"
        assert (await one.says(name))[:4] == b"\x05\x00\x05\x02"
        assert [(one.host, one.port) for one in one.names.denials] == [("evil.test", 443), ("evil.test", 80)]
        assert not one.names.asked

    tried(scenario)


def test_denials_without_end_are_told_up_to_a_number() -> None:
    async def scenario(one: World) -> None:
        for number in range(DENIALS + 5):
            await one.says(b"CONNECT h%d.test:443 HTTP/1.1\r\n\r\n" % number)
        assert len(one.names.denials) == DENIALS

    tried(scenario)


def test_connections_without_end_are_hung_up_on() -> None:
    async def scenario(one: World) -> None:
        held = [await asyncio.open_connection("127.0.0.1", one.proxy) for _ in range(CONNECTIONS)]
        reader, writer = await asyncio.open_connection("127.0.0.1", one.proxy)
        with suppress(ConnectionResetError):
            async with asyncio.timeout(REQUEST_TIMEOUT / 2):
                assert await reader.read() == b""  # at once, and not when a request is late
        writer.close()
        for _, writer in held:
            writer.close()

    tried(scenario)


def test_a_listed_host_that_does_not_answer_is_no_denial() -> None:
    async def scenario(one: World) -> None:
        answer = await one.says(b"CONNECT gone.test:1 HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert not one.names.denials

    tried(scenario)


def test_what_is_no_request_is_refused() -> None:
    async def scenario(one: World) -> None:
        for sent in (b"GET / HTTP/1.1\r\n\r\n", b"GET https://api.test/ HTTP/1.1\r\n\r\n", b"x\r\n\r\n"):
            assert (await one.says(sent)).startswith(b"HTTP/1.1 400 ")
        assert (await one.says(b"GET http://api.test:x/ HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        assert (await one.says(b"GET /" + b"a" * HEAD_LIMIT)).startswith(b"HTTP/1.1 431 ")
        assert await one.says(b"\x05\x01\x02") == b"\x05\xff"
        bind = b"\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50"
        assert (await one.says(bind))[:4] == b"\x05\x00\x05\x07"
        assert await one.says(b"") == b""
        assert not one.got

    tried(scenario)
