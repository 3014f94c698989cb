"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from kitty_run.demo.spec import MissionSpec, Project

from tests import hosts, simulated_host

settings.register_profile("busy machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("busy machine")
"""Nothing is proven by time: a test that is slow since the machine is busy is no failure."""


sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
"""Tests start hundreds of programs: each would compile all of kitty-run anew where this is set."""


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where runs keep what they know outside of their repositories: never in the user's own directory."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("state")
        patch.setenv("XDG_STATE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def real_host(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], hosts.RealHost]:
    """`real_host(VERSION)`: that host from PyPI, installed once below `.hosts/`; or a simulated one."""

    def installed(version: str) -> hosts.RealHost:
        if version in hosts.SIMULATED:
            return simulated_host.host(version, tmp_path_factory.mktemp(version))
        return hosts.install(version)

    return cache(installed)


@pytest.fixture
def real_project(
    real_host: Callable[[str], hosts.RealHost], tmp_path: Path
) -> Callable[[str, MissionSpec], Project]:
    """`real_project(VERSION, SPEC)`: a fresh copy of the mission planned on that host, below `tmp_path`."""

    def make(version: str, spec: MissionSpec) -> Project:
        return real_host(version).project(spec, tmp_path / "project")

    return make
