"""One work package's steps, and which step its lane and the memory of it call for: pure decisions."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from kitty_run.engine.state.run_state import WorkPackageMemory
from kitty_run.host.model import Lane


class Step(StrEnum):
    """A step on a work package's way; `docs/architecture.md` draws the way."""

    CLAIM = "claim"
    IMPLEMENT = "implement"
    HAND_IN = "hand_in"
    CLAIM_REVIEW = "claim_review"
    REVIEW = "review"
    APPROVE = "approve"
    REJECT = "reject"
    CONFIRM = "confirm"
    END = "end"


def first_step(lane: Lane, review_claim: bool) -> Step | None:
    """Where a work package found in `lane` goes on; None where nothing is to be done.

    `review_claim`: the host has a lane `in_review` that a review is claimed into.
    """
    match lane:
        case Lane.PLANNED | Lane.CLAIMED | Lane.IN_PROGRESS:
            return Step.CLAIM
        case Lane.FOR_REVIEW:
            return Step.CLAIM_REVIEW if review_claim else Step.REVIEW
        case Lane.IN_REVIEW:
            return Step.CLAIM_REVIEW
        case Lane.APPROVED:
            return Step.CONFIRM
        case Lane.DONE | Lane.BLOCKED | Lane.CANCELED:
            return None
        case unreachable:
            assert_never(unreachable)


def after_claim(memory: WorkPackageMemory, head: str, dirty: bool) -> Step:
    """Implement, unless the work at `head` passed its gates already and only the hand-in was lost."""
    return Step.HAND_IN if memory.ready == head and not dirty else Step.IMPLEMENT


def before_review(memory: WorkPackageMemory, head: str) -> Step:
    """Review, unless a verdict on exactly this commit is remembered and only its message was lost."""
    verdict = memory.verdict
    if verdict is None or verdict.get("commit") != head:
        return Step.REVIEW
    return Step.APPROVE if verdict.get("verdict") == "approved" else Step.REJECT
