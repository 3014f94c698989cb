"""A warm host answers and acts as a cold one, failing calls included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.demo.spec import Project
from kitty_run.host.transport.cold import ColdStarter
from kitty_run.host.transport.start import Starter
from kitty_run.host.transport.warm.starter import WarmStarter

from tests.host.warm.calls import SPECS, Shown, make_calls, repository, shown
from tests.hosts import FEATURE_HOST, MISSION_HOST, RealHost

pytestmark = pytest.mark.real_host


async def run(version: str, starter: Starter, project: Project) -> list[Shown]:
    try:
        replies = await make_calls(version, starter, project)
    finally:
        await starter.close()
    return [shown(operation, reply, project) for operation, reply in replies]


@pytest.mark.parametrize("version", [FEATURE_HOST, pytest.param(MISSION_HOST, marks=pytest.mark.slow)])
def test_a_warm_host_answers_and_acts_as_a_cold_one(
    real_host: Callable[[str], RealHost], tmp_path: Path, version: str
) -> None:
    host, notices = real_host(version), list[str]()
    ways = {name: host.project(SPECS[version], tmp_path / name) for name in ("cold", "warm")}
    cold = ColdStarter((str(host.script),), host.env)
    warm = WarmStarter((str(host.script),), host.env, cold, notices.append)

    async def both() -> tuple[list[Shown], list[Shown]]:
        return await asyncio.gather(run(version, cold, ways["cold"]), run(version, warm, ways["warm"]))

    cold_replies, warm_replies = asyncio.run(both())

    assert warm_replies == cold_replies
    assert repository(ways["warm"]) == repository(ways["cold"])
    assert notices == []
    assert {reply.status for reply in warm_replies} >= {0, 1, 2}
