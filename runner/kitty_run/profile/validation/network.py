"""Which hosts `policy.network_mode: allowlist` lets through, and whose CLI finds its way there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.yaml.tree import (
    MapNode,
    Node,
    Path,
    child,
    find,
    list_items,
    map_entries,
    plain,
    pointer,
    value_place,
)

LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
WILDCARD = "*."
PORTS = range(1, 65536)

Addresses = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Network:
    """`allow`: what `policy.network_mode: allowlist` lets through, for agents and checks; see `host_rule`."""

    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentNetwork:
    """`hosts`: those of an agent's own services, which its attempts reach with `allowlist`."""

    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostRule:
    """One entry of `network.allow`: a name, all names below one (`*.example.org`), an address or a network.

    `name` is lower case, ASCII, without a dot at its end, and empty for addresses; `port` None is any port.
    """

    name: str
    addresses: Addresses | None
    port: int | None

    def names(self, host: str, port: int) -> bool:
        """Whether it lets the name `host` through, which is lower case."""
        if not self.name or self.port not in {None, port}:
            return False
        if self.name.startswith(WILDCARD):
            return host.endswith(self.name[1:]) and len(host) >= len(self.name)
        return host == self.name


def host_rule(text: str) -> HostRule:
    """The entry `text`. Raises ValueError with what is wrong, for people."""
    if "://" in text:
        raise ValueError("write the host alone, without scheme and path")
    place, port = _split(text)
    try:
        return HostRule("", ip_network(place, strict=False), port)
    except ValueError:
        if "/" in place:
            raise ValueError("neither a host nor a network such as 10.0.0.0/8") from None
    if place == "*":
        raise ValueError("it would let every host through; that is `policy.network_mode: open`")
    wildcard = WILDCARD if place.startswith(WILDCARD) else ""
    return HostRule(wildcard + _ascii(place.removeprefix(wildcard)), None, port)


def host_name(text: str) -> str:
    """`text` as rules have names. Raises ValueError where it is no name of a host."""
    return _ascii(text)


def _split(text: str) -> tuple[str, int | None]:
    """Host and port; an IPv6 address with a port is written in brackets."""
    if text.startswith("["):
        place, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("write an IPv6 address with a port as [ADDRESS]:PORT")
        return place, _port(rest[1:]) if rest else None
    if text.count(":") != 1:
        return text, None
    place, _, port = text.partition(":")
    return place, _port(port)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) in PORTS):
        raise ValueError(f"{text!r} is no port: write a number from 1 to 65535")
    return int(text)


def _ascii(name: str) -> str:
    try:
        encoded = name.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        encoded = ""
    if not encoded or len(encoded) > 253 or not all(map(LABEL.fullmatch, encoded.split("."))):
        raise ValueError("write a host such as api.example.org, *.example.org or example.org:443")
    return encoded


def check_proxies(root: MapNode) -> Iterator[Problem]:
    """Where a role uses an agent whose CLI takes no way that an allow-list lets through."""
    mode = find(root, ("policy", "network_mode"))
    if mode is None or plain(mode) != "allowlist":
        return
    for role, entry in map_entries(root.get("roles")):
        for number, item in list_items(child(entry.node, "agents")):
            name = str(plain(item))
            if _ignores_proxies(find(root, ("agents", name))):
                path: Path = ("roles", role, "agents", number)
                message = f"the CLI of the agent {name!r} takes no proxy: with `allowlist` it reaches nothing"
                hint = "choose another agent, or policy.network_mode: open"
                yield Problem.at(value_place(root, path), pointer(path), message, hint)


def _ignores_proxies(agent: Node | None) -> bool:
    obeys = find(agent, ("network", "obeys_proxy")) if isinstance(agent, MapNode) else None
    return obeys is not None and plain(obeys) is False
