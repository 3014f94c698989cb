"""Entries of `network.allow`."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.profile.load import load
from kitty_run.profile.validation.network import host_rule
from kitty_run.profile.validation.problems import ProfileInvalid


@pytest.mark.parametrize(
    ("entry", "host", "port", "named"),
    [
        ("api.example.org", "api.example.org", 443, True),
        ("API.Example.ORG.", "api.example.org", 443, True),
        ("api.example.org", "api.example.org.evil.test", 443, False),
        ("api.example.org", "xapi.example.org", 443, False),
        ("api.example.org:443", "api.example.org", 443, True),
        ("api.example.org:443", "api.example.org", 22, False),
        ("*.example.org", "a.example.org", 443, True),
        ("*.example.org", "a.b.example.org", 443, True),
        ("*.example.org", "example.org", 443, False),
        ("*.example.org", ".example.org", 443, False),
        ("*.example.org", "badexample.org", 443, False),
        ("bücher.example", "xn--bcher-kva.example", 443, True),
        ("10.0.0.0/8", "10.0.0.1", 443, False),
    ],
)
def test_an_entry_lets_names_through(entry: str, host: str, port: int, named: bool) -> None:
    assert host_rule(entry).names(host, port) is named


@pytest.mark.parametrize(
    ("entry", "addresses", "port"),
    [
        ("10.0.0.0/8", "10.0.0.0/8", None),
        ("10.1.2.3:8080", "10.1.2.3/32", 8080),
        ("::1", "::1/128", None),
        ("[fd00::1]:443", "fd00::1/128", 443),
        ("[fd00::/8]", "fd00::/8", None),
    ],
)
def test_an_entry_may_be_an_address_or_a_network(entry: str, addresses: str, port: int | None) -> None:
    rule = host_rule(entry)
    assert (str(rule.addresses), rule.port) == (addresses, port)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("https://example.org", "without scheme"),
        ("example.org/path", "neither a host nor a network"),
        ("*", "policy.network_mode: open"),
        ("example.org:https", "no port"),
        ("example.org:0", "no port"),
        ("example.org:65536", "no port"),
        ("[::1", r"\[ADDRESS\]:PORT"),
        ("a b", "write a host"),
        ("a..b", "write a host"),
        ("*.*.org", "write a host"),
        ("a.*.org", "write a host"),
        ("-a.org", "write a host"),
        ("a" * 64 + ".org", "write a host"),
    ],
)
def test_what_is_no_host_is_refused(entry: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        host_rule(entry)


def test_a_cli_that_takes_no_proxy_is_refused_with_the_allow_list(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    deaf = "agents: {pi: {network: {obeys_proxy: false}}}"
    path.write_text(f"version: 1\nextends: ['preset:pi']\n{deaf}\npolicy: {{network_mode: allowlist}}\n")
    with pytest.raises(ProfileInvalid, match="the CLI of the agent 'pi' takes no proxy"):
        load(path)
    path.write_text(f"version: 1\nextends: ['preset:pi']\n{deaf}\n")
    assert load(path).profile.agents["pi"].network.hosts


@pytest.mark.parametrize("locked", ["/policy", "/policy/network_mode"])
@pytest.mark.parametrize(
    ("own", "place"),
    [
        ("network: {allow: [evil.example]}", "/network/allow"),
        ("agents: {pi: {network: {hosts: [evil.example]}}}", "/agents/pi/network/hosts"),
    ],
)
def test_a_lock_on_the_policy_closes_the_allow_list(
    tmp_path: Path, locked: str, own: str, place: str
) -> None:
    base, path = tmp_path / "base.yaml", tmp_path / "p.yaml"
    base.write_text(
        f"version: 1\nextends: ['preset:pi']\npolicy: {{network_mode: allowlist}}\n"
        f"network: {{allow: [pypi.org]}}\nlocked: [{locked}]\n"
    )
    path.write_text("version: 1\nextends: [./base.yaml]\n")
    assert load(path).profile.network.allow == ("pypi.org",)
    path.write_text(f"version: 1\nextends: [./base.yaml]\n{own}\n")
    with pytest.raises(ProfileInvalid, match=f"{place}: is locked"):
        load(path)


def test_the_profile_names_the_place_of_what_is_no_host(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("version: 1\nextends: ['preset:claude']\nnetwork:\n  allow: ['https://example.org']\n")
    with pytest.raises(ProfileInvalid, match=r"p\.yaml:4:11: /network/allow/0: not a host to let through"):
        load(path)
