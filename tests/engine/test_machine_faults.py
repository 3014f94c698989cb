"""A machine that can't write pauses the run: nobody's work failed, and the same command continues."""

from __future__ import annotations

import errno
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.events import AttemptEnded, AttemptStarted, CallStarted, RetryDecided, RunEnded
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.machine import JournalFault, MachineFault
from kitty_run.profile.finish import Finish, Merge

from tests.engine import profiles
from tests.engine.world import Did, Job, World
from tests.failing_files import Files

pytestmark = pytest.mark.whole

CAUSES = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.EMFILE,
    errno.EACCES,
)
KINDS = (
    *("open events.jsonl", "write events.jsonl", "fsync events.jsonl"),
    *("mkdir logs", "open logs", "mkdir prompts", "open prompts", "mkdir verdicts", "mkdir files"),
)
AGENTS = ("open verdicts",)
"""Kinds that agents write; the runner reads them."""


def script(job: Job) -> Did:
    """The first review asks for more; whoever has a full disk can't work."""
    if job.role == "implement":
        return job.work()
    return job.verdict("changes_requested" if job.cycle == 1 and job.wp == "WP01" else "approved")


def mission(root: Path) -> tuple[World, Files]:
    world = World(root, {"WP01": [], "WP02": ["WP01"], "WP03": []}, script=script)
    return world, Files(world.place.directory)


def run(world: World, files: Files) -> tuple[ExitStatus, str]:
    """Exit status and reason, as the command line would have them."""
    with files.watched():
        try:
            report = world.run()
        except MachineFault as fault:
            return fault.exit_status, str(fault)
    return report.exit_status, report.reason


def test_every_kind_of_file_is_known(tmp_path: Path) -> None:
    world, files = mission(tmp_path)
    assert run(world, files)[0] is ExitStatus.OK
    unknown = {kind for kind in files.seen if not kind.endswith(" run-1")} - {*KINDS, *AGENTS}
    assert unknown == set(), "a new kind of file: what if it can't be written?"


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        pytest.param(kind, number, id=f"{kind}-{errno.errorcode[number]}")
        for kind in (*KINDS, *AGENTS)
        for number in CAUSES
        if kind in KINDS or number != errno.EACCES
    ],
)
def test_the_run_pauses_and_the_same_command_continues(tmp_path: Path, kind: str, number: int) -> None:
    world, files = mission(tmp_path)
    files.fails, files.number = frozenset({kind}), number
    status, reason = run(world, files)
    assert status is ExitStatus.PAUSED
    assert files.failed
    assert os.strerror(number) in reason
    assert str(world.place.directory) in reason
    assert "file system /" in reason
    assert "start the same command again" in reason
    assert "`" in reason, "a command that can be pasted"
    lanes = set(world.lanes().values())
    assert Lane.BLOCKED not in lanes
    files.fails = frozenset()
    assert run(world, files)[0] is ExitStatus.OK
    assert set(world.lanes().values()) == {Lane.DONE}
    assert set(decided(world)) == {("review", "changes_requested")}, "no attempt failed"


def decided(world: World) -> Counter[tuple[str, str]]:
    return Counter((event.table, event.key) for event in world.events(RetryDecided))


def test_a_failure_on_a_full_disk_is_not_the_agents(tmp_path: Path) -> None:
    files = Files(tmp_path / ".kitty-run" / "runs" / "run-1")

    def fail_once(job: Job) -> Did:
        if job.role == "review":
            return job.verdict()
        return job.fail() if job.attempt == 1 else job.work()

    def fill(_: World, event: object, __: object) -> None:
        if isinstance(event, AttemptEnded):
            files.fails, files.number = frozenset({"open logs"}), errno.ENOSPC

    world = World(tmp_path, {"WP01": []}, script=fail_once)
    world.on_event = fill
    status, reason = run(world, files)
    assert status is ExitStatus.PAUSED
    assert "No space left on device" in reason
    assert [event.failure for event in world.events(AttemptEnded)] == ["failed"], "what it cost is known"
    assert decided(world) == Counter()
    files.fails, world.on_event = frozenset(), None
    assert run(world, files)[0] is ExitStatus.OK
    assert len(world.jobs) == 3
    assert decided(world) == Counter(), "later neither"
    assert world.run().cost.unknown_attempts == 3


def test_running_attempts_finish_when_another_ones_files_cannot_be_written(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": [], "WP02": []}, script=script)
    files = Files(world.place.directory)
    began: list[str] = []

    def watch(_: World, event: object, __: object) -> None:
        if isinstance(event, AttemptStarted):
            began.append(event.wp)
            files.fails, files.number = frozenset({"mkdir prompts"}), errno.ENOSPC

    world.on_event = watch
    assert run(world, files)[0] is ExitStatus.PAUSED
    assert len(began) == 1
    (end,) = world.events(RunEnded)
    assert end.exit_status == ExitStatus.PAUSED
    assert "No space left" in end.reason
    assert len(world.events(AttemptEnded)) == 1, "the attempt that ran was not cut off"


def test_a_journal_that_cannot_be_written_ends_the_run_at_once(tmp_path: Path) -> None:
    world, files = mission(tmp_path)

    def fill(_: World, event: object, __: object) -> None:
        if isinstance(event, AttemptEnded):
            files.fails, files.number = frozenset({"write events.jsonl"}), errno.EIO

    world.on_event = fill
    with files.watched(), pytest.raises(JournalFault, match=r"dmesg"):
        world.run()
    assert world.events(RunEnded) == []


def test_an_error_of_the_machine_outside_of_the_runners_files_pauses_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, {"WP01": []})

    keep = world.repository.keep

    async def full(*given: Any) -> None:
        if world.attempts:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        await keep(*given)

    monkeypatch.setattr(world.repository, "keep", full)
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert report.work_packages["WP01"].code is EndCode.PAUSED
    assert "ulimit -n" in report.reason


@pytest.mark.parametrize("operation", ["claim", "hand_in", "approve", "accept", "merge"])
def test_what_a_host_cannot_do_on_a_full_disk_blocks_nothing(tmp_path: Path, operation: str) -> None:
    profile = replace(profiles.profile(), finish=Finish(merge=Merge()))
    faults = [Fault(operation, "LANE_ALLOCATION_FAILED", times=99)]
    world = World(tmp_path, {"WP01": []}, faults=faults, profile=profile)
    files = Files(world.place.directory)

    def fill(_: World, event: object, __: object) -> None:
        if isinstance(event, CallStarted) and event.operation == operation:
            files.fails, files.number = frozenset({"open run-1"}), errno.ENOSPC

    world.on_event = fill
    status, reason = run(world, files)
    assert status is ExitStatus.PAUSED
    assert f"{world.place.directory} can't be written: No space left" in reason
    assert world.events(RetryDecided) == []
    assert Lane.BLOCKED not in world.lanes().values()
    files.fails, world.on_event, world.host.faults = frozenset(), None, []
    assert run(world, files)[0] is ExitStatus.OK
