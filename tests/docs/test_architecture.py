"""`docs/architecture.md` agrees with folders and state machine; rooms and modules keep their bounds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
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


TESTED_ABOVE = {
    "engine/lifecycle/mission",
    "host/transport",
    "simulation",
}
"""Rooms whose tests are in another folder so far: this set only shrinks."""


def _modules() -> list[Path]:
    """Every module that is shipped or tests it, but for what the demo's agents write."""
    found = [*PACKAGE.rglob("*.py"), *(CHECKOUT / "tests").rglob("*.py")]
    return [path for path in found if "drafts" not in path.parts]


def _names(paths: Iterable[Path]) -> set[str]:
    return {path.relative_to(CHECKOUT).as_posix() for path in paths}


def test_every_room_has_its_folder_of_tests() -> None:
    tests = {
        path.parent.relative_to(CHECKOUT / "tests").as_posix()
        for path in (CHECKOUT / "tests").rglob("test_*.py")
    }
    assert _rooms() - tests <= TESTED_ABOVE


def test_no_module_is_longer_than_300_lines() -> None:
    assert not _names(path for path in _modules() if len(path.read_text("utf-8").splitlines()) > 300)


def test_no_folder_has_more_than_14_modules() -> None:
    counted = Counter(path.parent for path in _modules() if path.name != "__init__.py")
    assert not _names(folder for folder, count in counted.items() if count > 14)


def test_no_module_imports_itself_through_others() -> None:
    graph = grimp.build_graph("kitty_run", cache_dir=None)
    sorter = TopologicalSorter({one: graph.find_modules_directly_imported_by(one) for one in graph.modules})
    sorter.prepare()  # raises CycleError with the circle
    assert sorter.is_active()
