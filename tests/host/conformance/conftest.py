"""Hosts that are started once and asked by all scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.host.conformance.kept_host import KeptHost

Keep = Callable[[tuple[str, ...], Mapping[str, str]], KeptHost]


@pytest.fixture(scope="module")
def keep() -> Iterator[Keep]:
    """`keep(COMMAND, ENVIRONMENT)`: that host, kept warm for the scenarios; it never went cold.

    Not longer: its end would then depend on what all later tests do to this process.
    """
    kept: dict[tuple[str, ...], KeptHost] = {}

    def of(command: tuple[str, ...], env: Mapping[str, str]) -> KeptHost:
        return kept.setdefault(command, KeptHost(command, env))

    yield of
    for host in kept.values():
        host.end()
        assert host.notices == []
