"""Whether a connection is in the allow-list, decided by name before and by address after it is resolved.

A listed name lets through public addresses only: one that resolves to loopback, to a private or link-local
network, or to the metadata service of a cloud reaches nothing, unless that address or network is listed
itself (`localhost` lists loopback). What is checked is what is connected to: nothing resolves twice.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from kitty_run.agents.model import Denial
from kitty_run.profile.validation.network import HostRule, host_name

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Iterable[str]]]
"""The addresses of a name, for a port. Raises OSError."""

TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("::/96"))
"""IPv6 networks whose last 32 bits are an IPv4 address (RFC 6052, RFC 8215, RFC 4291 2.5.5.1)."""
LOCAL_NAME = "localhost"
NAME_LIMIT = 253


class Denied(Exception):
    """Raised for what is not let through."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(f"{denial.host}:{denial.port} is not in network.allow ({denial.reason})")
        self.denial = denial


async def system_resolve(host: str, port: int) -> list[str]:
    """The machine's own resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class AllowedHosts:
    """The rules of one attempt, asked for each connection."""

    def __init__(self, rules: Iterable[HostRule], resolve: Resolve = system_resolve) -> None:
        self._rules = tuple(rules)
        self._resolve = resolve

    @property
    def list_loopback(self) -> bool:
        """Whether an address of loopback is listed: then clients must ask the proxy for it, too."""
        return any(
            rule.name == LOCAL_NAME or (rule.addresses is not None and rule.addresses.is_loopback)
            for rule in self._rules
        )

    async def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """Where a connection to `host` may lead. Raises Denied, and OSError where there is no such name."""
        literal = _literal(host)
        if literal is not None:
            if not self._lists(literal, port):
                raise Denied(Denial(str(literal), port, "unlisted"))
            return (literal,)
        try:
            name = host_name(host)
        except ValueError:
            raise Denied(Denial(host[:NAME_LIMIT], port, "unlisted")) from None
        if not any(rule.names(name, port) for rule in self._rules):
            raise Denied(Denial(name, port, "unlisted"))
        found = [ip_address(text.partition("%")[0]) for text in await self._resolve(name, port)]
        allowed = tuple(one for one in found if self._reachable(name, one, port))
        if found and not allowed:
            raise Denied(Denial(name, port, "address"))
        return allowed

    def _reachable(self, name: str, address: Address, port: int) -> bool:
        local = name == LOCAL_NAME and address.is_loopback
        return local or is_public(address) or self._lists(address, port)

    def _lists(self, address: Address, port: int) -> bool:
        return any(
            rule.addresses is not None and rule.port in {None, port} and address in rule.addresses
            for rule in self._rules
        )


def is_public(address: Address) -> bool:
    """Whether `address` is a public one; an IPv6 address that embeds an IPv4 one is judged by that."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_loopback or address.is_unspecified
    )


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(isinstance(one, IPv6Network) and address in one for one in TRANSLATED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
