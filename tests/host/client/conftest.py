"""The fixture `desk`: a client on a scripted host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.host.client import CallRecord, Connection, SpecKitty
from kitty_run.host.dialect_files import named
from kitty_run.host.transport.start import RawReply

from tests.host.client.desk import STATE, Desk
from tests.host.scripted import ScriptedStarter


@pytest.fixture
def desk(tmp_path: Path) -> Callable[..., Desk]:
    for wp in ("WP01", "WP02-second"):
        prompt = tmp_path / f"kitty-specs/demo/tasks/{wp}.md"
        prompt.parent.mkdir(parents=True, exist_ok=True)
        prompt.write_text("do it")
    (tmp_path / ".worktrees/demo-lane-a").mkdir(parents=True)

    def make(reply: RawReply = STATE, dialect: str = "mission", actor: str = "kitty-run") -> Desk:
        starter = ScriptedStarter(lambda argv: reply)
        records: list[CallRecord] = []
        connection = Connection(
            dialect=named(dialect),
            contract={"feature": "1.0.0", "mission": "1.5.0", "mission-4": "1.16.0"}[dialect],
            repo=tmp_path,
            mission="demo",
            actor=actor,
            timeout=5.0,
            starter=starter,
            observer=records.append,
        )
        return Desk(tmp_path, starter, records, SpecKitty(connection))

    return make
