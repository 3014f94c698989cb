"""What a client asks of the proxy: HTTP `CONNECT`, a plain HTTP request, or SOCKS5."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's line and headers."""
SOCKS5 = 5
CONNECT, NAME = 1, 3
ADDRESS_BYTES = {1: 4, 4: 16}
"""By the kind of address (RFC 1928, 5)."""
OWN = frozenset({b"host", b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive", b"te"})
"""Headers that are between client and proxy, or that the proxy writes itself (RFC 9112, 3.2.2)."""


class Unreadable(Exception):
    """What came is no request that this proxy understands; `answer` is sent before it hangs up."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(answer)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """Where a client wants to go. `forward` is sent there first; the answers go to the client."""

    host: str
    port: int
    granted: bytes
    refused: bytes
    unreachable: bytes
    forward: bytes = b""


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> ClientRequest:
    """The next client's request. Raises Unreadable, OSError and EOFError (`asyncio.IncompleteReadError`)."""
    first = await reader.readexactly(1)
    if first[0] == SOCKS5:
        return await _socks(reader, writer)
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise Unreadable(response(431, "Request Header Fields Too Large")) from None
    return _http(head)


def response(status: int, reason: str, text: str = "") -> bytes:
    """A whole HTTP answer, after which the connection ends."""
    body = f"{text}\n".encode() if text else b""
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


def _http(head: bytes) -> ClientRequest:
    line, _, headers = head.partition(b"\r\n")
    try:
        method, target, _ = line.decode("ascii").split(" ")
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = parts.hostname or "", parts.port or (443 if method == "CONNECT" else 80)
    except ValueError:
        raise Unreadable(response(400, "Bad Request")) from None
    if not host or (method != "CONNECT" and parts.scheme != "http"):
        raise Unreadable(
            response(400, "Bad Request", "kitty-run: a proxy is asked for whole URLs, or by CONNECT")
        )
    tunnel = method == "CONNECT"
    return ClientRequest(
        host,
        port,
        granted=b"HTTP/1.1 200 Connection established\r\n\r\n" if tunnel else b"",
        refused=response(403, "Forbidden", f"kitty-run: {host}:{port} is not in this run's network.allow"),
        unreachable=response(502, "Bad Gateway", f"kitty-run: {host}:{port} cannot be reached"),
        forward=b"" if tunnel else _forwarded(method, target, headers),
    )


def _forwarded(method: str, target: str, headers: bytes) -> bytes:
    """The request as the server gets it: for the host that was checked, and no other after it."""
    parts = urlsplit(target)
    path = parts._replace(scheme="", netloc="").geturl() or "/"
    place = parts.netloc.rpartition("@")[2]
    lines = [
        one for one in headers.split(b"\r\n") if one and one.partition(b":")[0].strip().lower() not in OWN
    ]
    own = f"{method} {path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n".encode("ascii")
    return own + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


async def _socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> ClientRequest:
    methods = await reader.readexactly((await reader.readexactly(1))[0])
    if 0 not in methods:
        raise Unreadable(b"\x05\xff")
    writer.write(b"\x05\x00")
    version, command, _, kind = await reader.readexactly(4)
    if version != SOCKS5 or command != CONNECT:
        raise Unreadable(_socks_answer(7))
    if kind == NAME:
        name = await reader.readexactly((await reader.readexactly(1))[0])
        host = name.decode("ascii", "replace")
    elif kind in ADDRESS_BYTES:
        host = str(ip_address(await reader.readexactly(ADDRESS_BYTES[kind])))
    else:
        raise Unreadable(_socks_answer(8))
    port = int.from_bytes(await reader.readexactly(2))
    return ClientRequest(host, port, _socks_answer(0), _socks_answer(2), _socks_answer(5))


def _socks_answer(code: int) -> bytes:
    return bytes((SOCKS5, code, 0, 1, 0, 0, 0, 0, 0, 0))
