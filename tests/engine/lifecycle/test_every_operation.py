"""Every operation of the protocol, with a fault that comes once and with one that stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.session_report import Report
from kitty_run.errors import ExitStatus
from kitty_run.host.dialect_files import named
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault

from tests.engine import profiles
from tests.engine.criteria import wanting
from tests.engine.host_codes import OPERATIONS
from tests.engine.profiles import shipped
from tests.engine.world import Did, Job, World, good

KINDS = (
    "HOST_UNREADABLE",
    "HOST_TIMEOUT",
    "A_CODE_OF_A_LATER_CONTRACT",
    "COMMAND_FAILED",
    "SAFE_COMMIT_GENERIC",
)
"""Garbage, nothing and a signal are `HOST_UNREADABLE`, a host that hangs is `HOST_TIMEOUT` (tests/host)."""
NEW = {"reserve", "settle", "claim", "accept"}
"""What the newest dialect has more than the others, and what comes next to it."""
CALLS = [
    (dialect, operation)
    for dialect in ("mission", "feature", "mission-4")
    for operation in OPERATIONS
    if named(dialect).operations.get(operation) is not None and operation != "block"
    if dialect != "mission-4" or operation in NEW
]


FAULTS = [
    pytest.param(*call, code, marks=pytest.mark.slow if call[0] == "feature" and code != KINDS[0] else ())
    for call in CALLS
    for code in KINDS
]
"""`make test` plays every code in two dialects, and one in `feature`: all react to a code in the same way."""
STAYING = [one for one in FAULTS if one.values[1] != "note"]

pytestmark = pytest.mark.whole


@pytest.fixture(autouse=True)
def _no_power_is_cut() -> Iterator[None]:
    with patch("os.fsync"):
        yield


def script(job: Job) -> Did:
    if job.wp == "WP02":
        return job.fail()
    if job.role == "implement":
        return good(job)
    if job.attempt == 1:
        return job.verdict("changes_requested")
    met = {"id": "FR-001", "result": "pass", "evidence": "seen"}
    return job.verdict(criteria=[met] if '"criteria"' in job.prompt else ())


def mission(root: Path, dialect: str, operation: str, *faults: Fault) -> World:
    """A mission that calls `operation`: WP01 is rejected once, WP03 was approved by others.

    WP02's agent never succeeds, and is there for `block` alone; for `ready`, WP05 depends on a work package
    that was canceled.
    """
    made = profiles.profile()
    made = replace(made, retry=replace(made.retry, host=shipped().retry.host))
    more = {"block": {"WP02": []}, "ready": {"WP04": [], "WP05": ["WP04"]}}
    packages = {"WP01": [], "WP03": [], **more.get(operation, {})}
    world = World(
        root, packages, profile=made, script=script, faults=faults, dialect=dialect, subtasks={"WP01": 2}
    )
    if dialect == "mission":
        world.host.move("WP03", Lane.APPROVED)
    if dialect == "mission-4":
        wanting(world, {"WP01": ["FR-001"]})
    if operation == "ready":
        world.host.move("WP04", Lane.CANCELED)
    return world


@dataclass(frozen=True)
class Flawless:
    """What comes of the mission without a fault."""

    status: ExitStatus
    attempts: int
    lanes: dict[str, Lane]
    operations: list[str]


@cache
def flawless(dialect: str, operation: str) -> Flawless:
    """What comes of the mission that calls `operation`, without a fault."""
    with TemporaryDirectory() as root:
        world = mission(Path(root), dialect, operation)
        report = world.run()
        assert operation in world.operations()
        return Flawless(report.exit_status, len(world.jobs), world.lanes(), world.operations())


def told(report: Report) -> str:
    return "\n".join([report.reason, *(one.reason for one in report.work_packages.values())])


@pytest.mark.parametrize("after", [False, True], ids=["refused", "reply lost"])
@pytest.mark.parametrize(("dialect", "operation", "code"), FAULTS)
def test_a_fault_that_comes_once_costs_nothing(
    tmp_path: Path, dialect: str, operation: str, code: str, after: bool
) -> None:
    well = flawless(dialect, operation)
    world = mission(tmp_path, dialect, operation, Fault(operation, code, after=after))
    report = world.run()
    assert report.exit_status is well.status, told(report)
    assert len(world.jobs) == well.attempts
    assert world.lanes() == well.lanes
    assert "block" not in world.operations()


@pytest.mark.parametrize(("dialect", "operation", "code"), STAYING)
def test_a_fault_that_stays_pauses_with_its_name_and_blocks_nothing(
    tmp_path: Path, dialect: str, operation: str, code: str
) -> None:
    well = flawless(dialect, operation)
    world = mission(tmp_path, dialect, operation, Fault(operation, code, times=10**6))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED, told(report)
    assert code in told(report)
    assert "run the same command again" in told(report)
    assert Lane.BLOCKED not in world.lanes().values()
    world.host.faults.clear()
    again = world.run()
    assert again.exit_status is well.status, told(again)
    assert len(world.jobs) == well.attempts


@pytest.mark.parametrize("code", KINDS)
@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_history_note_is_never_worth_a_run(tmp_path: Path, dialect: str, code: str) -> None:
    world = mission(tmp_path, dialect, "note", Fault("note", code, times=10**6))
    assert world.run().exit_status is ExitStatus.OK
    assert world.operations().count("note") == flawless(dialect, "note").operations.count("note")


@pytest.mark.parametrize("after", [False, True], ids=["refused", "reply lost"])
@pytest.mark.parametrize("code", KINDS)
@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_block_is_repeated_as_any_call(tmp_path: Path, dialect: str, code: str, after: bool) -> None:
    world = mission(tmp_path, dialect, "block", Fault("block", code, after=after))
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert report.work_packages["WP02"].code is EndCode.ATTEMPT_FAILED, told(report)
    assert world.lanes() == {"WP01": Lane.DONE, "WP02": Lane.BLOCKED, "WP03": Lane.DONE}


@pytest.mark.parametrize("code", KINDS)
@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_block_that_never_succeeds_is_named_with_what_was_to_be_blocked(
    tmp_path: Path, dialect: str, code: str
) -> None:
    world = mission(tmp_path, dialect, "block", Fault("block", code, times=10**6))
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert report.work_packages["WP02"].code is EndCode.NOT_BLOCKED
    assert code in report.work_packages["WP02"].reason
