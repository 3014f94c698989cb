"""What the shipped retry table says of every code that is known, and of one that is not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import yaml
from kitty_run.engine.decisions.retry import delay, row_for
from kitty_run.engine.decisions.root_obstacles import CODES as ROOT
from kitty_run.engine.decisions.root_obstacles import CONFLICT
from kitty_run.host.dialect_files import dialects_dir
from kitty_run.profile.model import Action, RetryRow

from tests.engine.host_codes import CLIENT, UNKNOWN
from tests.engine.profiles import shipped

ABORT = (Action.ABORT, 0, None)
BLOCK = (Action.BLOCK, 0, None)
TWO_MINUTES = (Action.RETRY, 6, Action.PAUSE)
UNNAMED = (Action.REFRESH, 1, Action.PAUSE)
JUDGEMENTS: Mapping[str, tuple[Action, int, Action | None]] = {
    # No repeat of the call, and no other call, can succeed.
    "USAGE_ERROR": ABORT,
    "MISSION_NOT_FOUND": ABORT,
    "FEATURE_NOT_FOUND": ABORT,
    "WP_NOT_FOUND": ABORT,
    "CONTRACT_VERSION_MISMATCH": ABORT,
    "STATUS_READ_PATH_NOT_FOUND": ABORT,
    "POLICY_METADATA_REQUIRED": ABORT,
    "POLICY_VALIDATION_FAILED": ABORT,
    "SAFE_COMMIT_PROTECTED_BRANCH": ABORT,
    "SAFE_COMMIT_NOT_A_WORKTREE": ABORT,
    "SAFE_COMMIT_DESTINATION_NOT_FOUND": ABORT,
    "SAFE_COMMIT_DESTINATION_REF_SHAPE": ABORT,
    "SAFE_COMMIT_PATH_POLICY": ABORT,
    # The work package's own trouble, or the mission's as it is.
    "ANCESTRY_NOT_ESTABLISHED": (Action.REFRESH, 3, Action.BLOCK),
    "TRANSITION_REJECTED": (Action.REFRESH, 3, Action.BLOCK),
    "LANE_ALLOCATION_FAILED": (Action.RETRY, 2, Action.BLOCK),
    "WORKFLOW_EVIDENCE_REQUIRED": BLOCK,
    "MISSION_NOT_READY": BLOCK,
    "FEATURE_NOT_READY": BLOCK,
    "PREFLIGHT_FAILED": BLOCK,
    "MERGE_FAILED": BLOCK,
    "PUSH_FAILED": BLOCK,
    "UNSUPPORTED_STRATEGY": BLOCK,
    # Others have it, or what it depends on.
    "WP_ALREADY_CLAIMED": (Action.SKIP, 0, None),
    "DEPENDENCIES_NOT_SATISFIED": (Action.REFRESH, 3, Action.SKIP),
    # The machine's, the host's, or somebody's who works in the repository.
    "HOST_TIMEOUT": (Action.RETRY, 3, Action.PAUSE),
    "HOST_UNREADABLE": TWO_MINUTES,
    "SAFE_COMMIT_HEAD_MISMATCH": TWO_MINUTES,
    "SAFE_COMMIT_BACKSTOP": TWO_MINUTES,
    "SAFE_COMMIT_GENERIC": TWO_MINUTES,
    "STATUS_LOCK_HELD": TWO_MINUTES,
    "ORIGIN_UNREACHABLE": TWO_MINUTES,
    "COMMAND_FAILED": (Action.RETRY, 1, Action.PAUSE),
    # The commit may be there all the same: looked at, and not repeated blindly.
    "SAFE_COMMIT_RECOVERY_FAILED": UNNAMED,
    "SAFE_COMMIT_INDEX_RESIDUE": UNNAMED,
    "SAFE_COMMIT_UNREQUESTED_PATHS": UNNAMED,
    "SAFE_COMMIT_STAGED_TREE_UNCHANGED": UNNAMED,
    # A person puts the repository right, and runs again.
    **dict.fromkeys(
        (
            "ACTIVE_CHARTER_CONFIG_INVALID",
            "HOST_CHANGED",
            "DIRTY_WORKTREE",
            "MERGE_UNSAFE_PRIMARY_DIRTY",
            "MERGE_UNSAFE_PRIMARY_OFF_TARGET",
            "MERGE_UNSAFE_WORKTREE_DIRTY",
            "ORIGIN_COMPARE_FAILED",
            "ORIGIN_LANE_STALE",
            "ORIGIN_REMOTE_AMBIGUOUS",
            "ORIGIN_STATUS_STALE",
            "SAFE_COMMIT_INDEX_DELETION_CONFLICT",
            "SAFE_COMMIT_PATH_LOOP",
            "WRITE_CHECKOUT_DIRTY",
            "WRITE_CHECKOUT_WRONG_BRANCH",
        ),
        (Action.PAUSE, 0, None),
    ),
    # A branch that moved after its approval is put back before the one repeat.
    "LANE_MOVED_AFTER_APPROVAL": (Action.RETRY, 1, Action.BLOCK),
    "APPROVAL_STAMP_MISSING": BLOCK,
    "APPROVAL_STAMP_NOT_ON_LANE": BLOCK,
    "COORD_MOVED_AFTER_LANDING": BLOCK,
    "INVALID_MISSION": ABORT,
    "UNSUPPORTED_CAPABILITY": ABORT,
    "WRITE_CHECKOUT_OCCUPIED": (Action.REFRESH, 3, Action.SKIP),
    **dict.fromkeys(ROOT - {CONFLICT}, (Action.RETRY, 20, Action.PAUSE)),
    CONFLICT: (Action.PAUSE, 0, None),
    # Nobody knows whose trouble it is.
    "HISTORY_COMMIT_FAILED": UNNAMED,
    "PLACEMENT_RESOLUTION_REQUIRED": UNNAMED,
    "SAFE_COMMIT_EMPTY_CHANGESET": UNNAMED,
    "WORKSPACE_UNUSABLE": UNNAMED,
    "PROMPT_MISSING": UNNAMED,
    **dict.fromkeys(UNKNOWN, UNNAMED),
}
ROWS = shipped().retry.host


def known() -> set[str]:
    """The codes that the shipped dialects name, and the client's own."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in dialects_dir().glob("*.yaml")]
    named = [code for one in documents for code in one.get("codes", {}).get("refusals", ())]
    return {*named, *CLIENT, *ROOT}


def judged(row: RetryRow) -> tuple[Action, int, Action | None]:
    return (row.do, row.attempts, row.then) if row.do in {Action.RETRY, Action.REFRESH} else (row.do, 0, None)


@pytest.mark.parametrize("code", sorted(JUDGEMENTS))
def test_the_shipped_table_says_what_was_judged(code: str) -> None:
    assert judged(row_for(ROWS, code)) == JUDGEMENTS[code]


def test_every_known_code_is_judged_and_every_row_is_for_a_known_code() -> None:
    assert known() - set(JUDGEMENTS) == set()
    assert set(ROWS) - {"default"} - known() == set()


@pytest.mark.parametrize("code", [code for code, said in JUDGEMENTS.items() if said == TWO_MINUTES])
def test_two_minutes_are_two_minutes(code: str) -> None:
    row = row_for(ROWS, code)
    assert 110 <= sum(delay(row.backoff, repeat, 0.0) for repeat in range(row.attempts)) <= 130


@pytest.mark.parametrize("code", sorted(ROOT - {CONFLICT}))
def test_a_person_at_the_root_is_waited_for_some_minutes(code: str) -> None:
    row = row_for(ROWS, code)
    waits = [delay(row.backoff, repeat, 0.0) for repeat in range(row.attempts)]
    assert 180 <= sum(waits) <= 300
    assert waits[0] <= 1
    assert max(waits) <= 15
