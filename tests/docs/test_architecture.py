"""`docs/architecture.md` agrees with the folders and with the state machine."""

from __future__ import annotations

import re

from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from tests.docs.state_diagram import refreshed
from tests.hosts import CHECKOUT

PACKAGE = CHECKOUT / "runner" / "kitty_run"
PAGE = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
PRIVATE = {
    "demo/agents",
    "demo/drafts",
    "engine/state/events",
    "host/sim/tables",
    "host/transport/warm",
    "host/transport/warm/inside",
}
"""Folders that belong to the room above them."""


def _rooms() -> set[str]:
    folders = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    shown = {room for room in folders if not any(room.startswith(one) for one in PRIVATE)}
    return shown - {".", "agents"}


def _documented() -> set[str]:
    return set(re.findall(r"^\| `([a-z/]+)/` \|", PAGE, re.MULTILINE))


def test_every_room_is_documented_and_every_documented_room_is_there() -> None:
    assert _documented() == _rooms()


def test_only_those_who_put_the_parts_together_see_all_services() -> None:
    pattern = re.compile(r"^from kitty_run\.engine\.context import .*\bServices\b", re.MULTILINE)
    found = [path for path in PACKAGE.rglob("*.py") if pattern.search(path.read_text(encoding="utf-8"))]
    assert {path.relative_to(PACKAGE).as_posix() for path in found} == {
        "engine/bootstrap.py",
        "engine/lifecycle/work_package.py",
        "engine/session.py",
        "simulation/simulation.py",
    }


def test_the_state_machine_is_drawn_as_it_is(snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = CHECKOUT / "docs"
    snapshot.assert_match(refreshed(PAGE), "architecture.md")
