"""What the shipped table says of host errors: those of the machine or the host block no work package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.events import CallStarted, Event
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.model import Action, Profile, RetryRow

from tests.engine import profiles
from tests.engine.world import World

SHIPPED = profiles.shipped().retry.host
OTHERS = ("PROTECTED_BRANCH_REFUSED", "WORKSPACE_UNUSABLE", "A_CODE_OF_A_LATER_CONTRACT")
MOVING = ("claim", "hand_in", "claim_review", "approve", "reject")


def profile(**rows: RetryRow) -> Profile:
    """The quick tables with the shipped rows for the host, and `rows` over them."""
    made = profiles.profile()
    return replace(made, retry=replace(made.retry, host={**SHIPPED, **rows}))


def world(root: Path, *faults: Fault, made: Profile | None = None) -> World:
    return World(root, {"WP01": []}, profile=made or profile(), faults=faults)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "operation", ["claim", "tick", "hand_in", "claim_review", "approve", "accept", "merge"]
)
@pytest.mark.parametrize(
    "code", [*OTHERS, "ANCESTRY_NOT_ESTABLISHED", "COMMAND_FAILED", "SAFE_COMMIT_GENERIC"]
)
def test_an_error_that_comes_once_costs_nothing(
    tmp_path: Path, operation: str, code: str, after: bool
) -> None:
    made = World(
        tmp_path,
        {"WP01": []},
        profile=profile(),
        faults=[Fault(operation, code, after=after)],
        subtasks={"WP01": 2},
    )
    assert made.run().exit_status is ExitStatus.OK
    assert len(made.jobs) == 2
    assert "block" not in made.operations()


@pytest.mark.parametrize("operation", ["claim", "tick", "hand_in", "claim_review", "approve"])
@pytest.mark.parametrize("code", [*OTHERS, "COMMAND_FAILED", "SAFE_COMMIT_HEAD_MISMATCH", "HOST_UNREADABLE"])
def test_an_error_that_stays_pauses_and_blocks_nothing(tmp_path: Path, operation: str, code: str) -> None:
    made = World(
        tmp_path,
        {"WP01": []},
        profile=profile(),
        faults=[Fault(operation, code, times=99)],
        subtasks={"WP01": 2},
    )
    report = made.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert code in report.work_packages["WP01"].reason
    assert Lane.BLOCKED not in made.lanes().values()
    made.host.faults = []
    assert made.run().exit_status is ExitStatus.OK
    assert len(made.jobs) == 2


@pytest.mark.parametrize("operation", ["reserve", "hand_in", "approve"])
@pytest.mark.parametrize(
    "code", ["SAFE_COMMIT_INDEX_RESIDUE", "SAFE_COMMIT_UNREQUESTED_PATHS", "SAFE_COMMIT_RECOVERY_FAILED"]
)
def test_a_commit_that_landed_though_it_was_refused_is_looked_at_and_not_made_again(
    tmp_path: Path, operation: str, code: str
) -> None:
    fault = Fault(operation, code, after=True)
    made = World(tmp_path, {"WP01": []}, dialect="mission-4", profile=profile(), faults=[fault])
    assert made.run().exit_status is ExitStatus.OK
    assert made.operations().count(operation) == 1
    assert len(made.jobs) == 2


@pytest.mark.parametrize("code", ["HOST_UNREADABLE", "SAFE_COMMIT_BACKSTOP", "STATUS_LOCK_HELD"])
def test_a_host_that_fails_is_asked_for_two_minutes(tmp_path: Path, code: str) -> None:
    made = world(tmp_path, Fault("hand_in", code, times=99))
    made.run()
    entries = made.entries()
    assert 115 <= (entries[-1].at - entries[0].at).total_seconds() <= 135


@pytest.mark.parametrize(
    "code",
    [
        *("USAGE_ERROR", "MISSION_NOT_FOUND", "WP_NOT_FOUND", "CONTRACT_VERSION_MISMATCH"),
        *("STATUS_READ_PATH_NOT_FOUND", "SAFE_COMMIT_NOT_A_WORKTREE", "SAFE_COMMIT_PATH_POLICY"),
    ],
)
def test_a_call_that_can_not_succeed_ends_the_run_at_once(tmp_path: Path, code: str) -> None:
    made = world(tmp_path, Fault("hand_in", code))
    report = made.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert code in report.reason
    assert made.operations().count("hand_in") == 1
    assert Lane.BLOCKED not in made.lanes().values()


def test_an_ancestry_that_is_never_known_blocks_after_three_looks(tmp_path: Path) -> None:
    made = world(tmp_path, Fault("hand_in", "ANCESTRY_NOT_ESTABLISHED", times=99))
    made.run()
    assert made.operations().count("hand_in") == 4
    assert made.lanes() == {"WP01": Lane.BLOCKED}


@pytest.mark.parametrize("code", ["MERGE_FAILED", "PREFLIGHT_FAILED"])
def test_a_merge_that_can_not_be_made_is_not_repeated(tmp_path: Path, code: str) -> None:
    made = world(tmp_path, Fault("merge", code))
    assert made.run().exit_status is ExitStatus.INCOMPLETE
    assert made.operations().count("merge") == 1


@pytest.mark.parametrize("do", [Action.BLOCK, Action.PAUSE])
@pytest.mark.parametrize(
    ("dialect", "operation"),
    [
        *(("mission", name) for name in ("hand_in", "claim_review", "approve")),
        *(("feature", name) for name in ("hand_in", "approve")),
    ],
)
def test_a_refusal_that_took_effect_neither_blocks_nor_pauses(
    tmp_path: Path, dialect: str, operation: str, do: Action
) -> None:
    faults, made = [Fault(operation, "BUSY", after=True)], profile(BUSY=RetryRow(do))
    it = World(tmp_path, {"WP01": []}, dialect=dialect, profile=made, faults=faults)
    assert it.run().exit_status is ExitStatus.OK
    assert "block" not in it.operations()


def test_a_review_that_others_claimed_meanwhile_is_left_to_them(tmp_path: Path) -> None:
    """A refusal with a code that nobody knows is no claim, though the lane is the one it would lead to."""
    made = world(tmp_path, Fault("claim_review", "BUSY", times=9), made=profile(BUSY=RetryRow(Action.BLOCK)))

    def others_claim(_: object, event: Event, __: object) -> None:
        if event == CallStarted("claim_review", wp="WP01"):
            made.host.move("WP01", Lane.IN_REVIEW, actor="somebody")

    made.on_event = others_claim
    made.run()
    assert [job.role for job in made.jobs] == ["implement"]
    assert "approve" not in made.operations()


def test_a_block_that_took_effect_though_it_was_refused_is_one(tmp_path: Path) -> None:
    busy = profile(BUSY=RetryRow(Action.BLOCK))
    made = world(tmp_path, Fault("hand_in", "BUSY"), Fault("block", "BUSY", after=True), made=busy)
    report = made.run()
    assert report.work_packages["WP01"].code is EndCode.HOST_REFUSED
    assert made.lanes() == {"WP01": Lane.BLOCKED}
