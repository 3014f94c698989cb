"""What the allow-list lets through, by name and by address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from kitty_run.execution.egress.allowed_hosts import AllowedHosts, Denied
from kitty_run.profile.validation.network import host_rule

from tests.execution.sandbox.confining import Names

PUBLIC = "93.184.216.34"
NOT_PUBLIC = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 - it is refused
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:0:0:0:0:80ff:fffe",
    "2001:db8::1",
]


def addresses(host: str, port: int, allow: Iterable[str], **known: str) -> list[str]:
    names = Names({name.replace("_", "."): (address,) for name, address in known.items()})
    allowed = AllowedHosts(map(host_rule, allow), names.resolve)
    found = asyncio.run(allowed.addresses(host, port))
    return [str(one) for one in found]


def refused(host: str, port: int, allow: Iterable[str], **known: str) -> str:
    with pytest.raises(Denied) as caught:
        addresses(host, port, allow, **known)
    assert caught.value.denial.port == port
    return caught.value.denial.reason


def test_a_listed_name_reaches_its_public_address() -> None:
    assert addresses("API.test.", 443, ["api.test"], api_test=PUBLIC) == [PUBLIC]
    assert addresses("api.test", 443, ["api.test"], api_test="2606:4700::1") == ["2606:4700::1"]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_listed_name_reaches_no_address_that_is_not_public(address: str) -> None:
    assert refused("api.test", 80, ["api.test", "*.test"], api_test=address) == "address"


def test_of_several_addresses_the_public_ones_are_left() -> None:
    names = Names({"api.test": ("127.0.0.1", PUBLIC, "::1")})
    allowed = AllowedHosts([host_rule("api.test")], names.resolve)
    assert [str(one) for one in asyncio.run(allowed.addresses("api.test", 443))] == [PUBLIC]


@pytest.mark.parametrize(
    ("allow", "port"), [(["api.test", "10.1.0.0/16"], 443), (["api.test", "10.1.2.3:443"], 443)]
)
def test_a_private_address_is_reached_where_it_is_listed(allow: list[str], port: int) -> None:
    assert addresses("api.test", port, allow, api_test="10.1.2.3") == ["10.1.2.3"]
    assert refused("api.test", port, allow, api_test="10.2.2.3") == "address"


def test_a_port_of_a_listed_address_counts() -> None:
    assert refused("api.test", 22, ["api.test", "10.1.2.3:443"], api_test="10.1.2.3") == "address"


def test_localhost_is_loopback_and_nothing_else() -> None:
    assert addresses("localhost", 8080, ["localhost:8080"], localhost="127.0.0.1") == ["127.0.0.1"]
    assert refused("localhost", 8081, ["localhost:8080"], localhost="127.0.0.1") == "unlisted"
    assert refused("localhost", 8080, ["localhost:8080"], localhost="10.0.0.1") == "address"


@pytest.mark.parametrize(
    "host",
    ["other.test", PUBLIC, "127.0.0.1", "::1", "127.1", "0x7f.1", "2130706433", "", "a b", "api.test\0.evil"],
)
def test_what_is_not_listed_is_not_even_resolved(host: str) -> None:
    names = Names({})
    with pytest.raises(Denied) as caught:
        asyncio.run(AllowedHosts([host_rule("api.test")], names.resolve).addresses(host, 443))
    assert caught.value.denial.reason == "unlisted"
    assert not names.asked


def test_an_address_is_reached_only_where_it_is_listed() -> None:
    assert addresses(PUBLIC, 443, [f"{PUBLIC}:443"]) == [PUBLIC]
    assert refused(PUBLIC, 80, [f"{PUBLIC}:443"]) == "unlisted"


def test_a_name_resolves_once_for_a_connection() -> None:
    names = Names({"api.test": (PUBLIC,)})
    asyncio.run(AllowedHosts([host_rule("api.test")], names.resolve).addresses("api.test", 443))
    assert names.asked == ["api.test"]


def test_a_name_that_nobody_knows_is_an_error_of_the_network() -> None:
    with pytest.raises(OSError, match="no such name"):
        addresses("api.test", 443, ["api.test"])
