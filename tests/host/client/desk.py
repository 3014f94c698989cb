"""A client on a scripted host."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

import pytest
from kitty_run.host.client import CallRecord, SpecKitty
from kitty_run.host.model import HostRefused, Review
from kitty_run.host.transport.start import RawReply

from tests.host.scripted import ScriptedStarter, success

STATE = success(
    mission_slug="demo",
    feature_slug="demo",
    work_packages=[
        {"wp_id": "WP01", "lane": "in_review", "dependencies": [], "last_actor": None},
        {"wp_id": "WP02", "lane": "planned", "dependencies": ["WP01"], "last_actor": "kitty-run"},
    ],
)


@dataclass
class Desk:
    """A client on a scripted host, in a repository of two work packages."""

    repo: Path
    starter: ScriptedStarter
    records: list[CallRecord]
    client: SpecKitty

    @property
    def argv(self) -> tuple[str, ...]:
        return self.starter.calls[-1]

    def option(self, name: str) -> str:
        return self.argv[self.argv.index(name) + 1]


POLICY = {"orchestrator_id": "kitty-run", "dangerous_flags": []}


APPROVAL = Review('the "best"\nreviewer', "approved", "review\\WP01\n1")


def allocation(desk: Desk, **changed: object) -> RawReply:
    data: dict[str, object] = {
        "wp_id": "WP01",
        "workspace_path": str(desk.repo / ".worktrees/demo-lane-a"),
        "prompt_path": str(desk.repo / "kitty-specs/demo/tasks/WP01.md"),
        "lane_branch": "kitty/mission-demo-lane-a",
        "lane_base_ref": "main",
    }
    return success(**{**data, **changed})


def refusal(call: Awaitable[object]) -> HostRefused:
    async def run() -> None:
        await call

    with pytest.raises(HostRefused) as caught:
        asyncio.run(run())
    return caught.value
