"""Real hosts are recognised for what they are, and those of a generation between are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.errors import HostError
from kitty_run.host.client import CallRecord, SpecKitty
from kitty_run.host.detect import connect
from kitty_run.host.transport.cold import ColdStarter
from kitty_run.profile.model import HostConfig

from tests import hosts
from tests.git_repos import GitRepo
from tests.host.conformance.subjects import planned

pytestmark = pytest.mark.real_host


def connected(host: hosts.RealHost, repo: Path, mission: str, records: list[CallRecord]) -> SpecKitty:
    config = HostConfig(command=(str(host.script),))
    starter = ColdStarter(config.command, host.env)
    return asyncio.run(connect(config, repo, mission, starter, records.append))


@pytest.mark.parametrize(
    ("version", "dialect"), [(hosts.FEATURE_HOST, "feature"), (hosts.MISSION_HOST, "mission")]
)
def test_a_supported_host_is_recognised_in_two_calls(
    real_host: Callable[[str], hosts.RealHost], tmp_path: Path, version: str, dialect: str
) -> None:
    topology = None if dialect == "feature" else "lanes"
    project = planned(real_host(version), tmp_path / "repo", topology)
    records: list[CallRecord] = []
    client = connected(real_host(version), project.root, project.mission, records)
    assert client.dialect == dialect
    assert [(record.operation, record.code) for record in records] == [("contract", None), ("state", None)]


@pytest.mark.slow  # the same is seen of the whole program in tests/e2e/surroundings/test_bad_input.py
def test_a_generation_between_is_refused(real_host: Callable[[str], hosts.RealHost], tmp_path: Path) -> None:
    GitRepo(tmp_path).git("init", "-q")
    with pytest.raises(HostError, match=r"generation 3\.1 to 3\.2\.0.*pip install"):
        connected(real_host(hosts.BETWEEN_HOST), tmp_path, "demo", [])
