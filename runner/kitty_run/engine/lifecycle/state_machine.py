"""The one state machine of a work package: its steps, what each can come to, and what follows. Pure.

A step does its work and returns its outcome, a value; `next_step` is the only place that says what comes
next. `docs/architecture.md` draws it from this module. What is an ordinary course of things is an outcome,
and no exception: a failed attempt, whatever a retry row says, a limited agent family, a gate that waits.

Two exceptions unwind a step from deep inside, and become outcomes in `work_package`: `Stop`, raised where
the run waits or asks whether it may continue, and `CallGivenUp`, raised from inside of a host call that its
retry row gives up. Errors (`KittyRunError`) are for what is exceptional.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias, assert_never, get_args

from kitty_run.engine.lifecycle.outcomes import (
    Abort,
    Approved,
    Block,
    Claimed,
    Failed,
    Found,
    HandedIn,
    Implemented,
    Judged,
    Limited,
    MovedByOthers,
    Outdated,
    Overruled,
    Refused,
    Rejected,
    Stopped,
    Unreviewed,
    Unusable,
)
from kitty_run.engine.shutdown import End
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action

MOVES = 3
"""Reviews of one work package that may come to nothing because its branch moved meanwhile."""


CONTINUES = "Nothing was blocked for it. Fix the cause, then run the same command again: it continues."
"""What a person does about whatever pauses."""


class Step(StrEnum):
    """What is done next for a work package."""

    READ_LANE = "read_lane"
    """The lane in which the host has it decides."""
    CLAIM = "claim"
    IMPLEMENT = "implement"
    """One attempt of an implementing agent, and the checks."""
    HAND_IN = "hand_in"
    CLAIM_REVIEW = "claim_review"
    REVIEW = "review"
    """One attempt of a reviewing agent."""
    APPROVE = "approve"
    REJECT = "reject"
    CONFIRM = "confirm"
    """From `approved`, where others approved it on the host, to `done`."""


ReadLaneOutcome: TypeAlias = Found | MovedByOthers
ClaimOutcome: TypeAlias = Claimed | Stopped
ImplementOutcome: TypeAlias = Implemented | Limited | Failed
HandInOutcome: TypeAlias = HandedIn
ClaimReviewOutcome: TypeAlias = Judged
ReviewOutcome: TypeAlias = Judged | Limited | Failed | Unreviewed
ApproveOutcome: TypeAlias = Approved | Outdated | Overruled | Stopped
RejectOutcome: TypeAlias = Rejected | Stopped
ConfirmOutcome: TypeAlias = Approved | Overruled | Stopped
Interruption: TypeAlias = Refused | Stopped | Unusable
"""What every step but `READ_LANE` can come to besides."""
StepOutcome: TypeAlias = (
    ReadLaneOutcome
    | ClaimOutcome
    | ImplementOutcome
    | HandInOutcome
    | ClaimReviewOutcome
    | ReviewOutcome
    | ApproveOutcome
    | RejectOutcome
    | ConfirmOutcome
    | Interruption
)


Next: TypeAlias = Step | Block | End | Abort


def outcomes(step: Step) -> tuple[type[StepOutcome], ...]:
    """All that `step` can come to."""
    if step is Step.READ_LANE:
        return get_args(ReadLaneOutcome)
    common: tuple[type[StepOutcome], ...] = get_args(Interruption)
    return (*(kind for kind in _own_outcomes(step) if kind not in common), *common)


def _own_outcomes(step: Step) -> tuple[type[StepOutcome], ...]:  # noqa: C901, PLR0911 - a table
    match step:
        case Step.READ_LANE:
            return get_args(ReadLaneOutcome)
        case Step.CLAIM:
            return get_args(ClaimOutcome)
        case Step.IMPLEMENT:
            return get_args(ImplementOutcome)
        case Step.HAND_IN:
            return (HandedIn,)
        case Step.CLAIM_REVIEW:
            return (Judged,)
        case Step.REVIEW:
            return get_args(ReviewOutcome)
        case Step.APPROVE:
            return get_args(ApproveOutcome)
        case Step.REJECT:
            return get_args(RejectOutcome)
        case Step.CONFIRM:
            return get_args(ConfirmOutcome)
        case unreachable:
            assert_never(unreachable)


def next_step(  # noqa: C901, PLR0911, PLR0912 - a table
    step: Step, outcome: StepOutcome, *, review_claim: bool
) -> Next:
    """What follows `step`, which came to `outcome`.

    `review_claim`: the host has a lane `in_review` that a review is claimed into. Raises `ValueError` for
    an outcome that is not one of the step's.
    """
    if type(outcome) not in outcomes(step):
        raise ValueError(f"{step} can't come to {outcome}")
    match outcome:
        case Found(lane):
            return first_step(lane, review_claim) or _left(lane)
        case MovedByOthers(lane, claimed):
            return Step.REVIEW if claimed else End(EndCode.MOVED_BY_OTHERS, _moved_unclaimed(lane))
        case Claimed(ready):
            return Step.HAND_IN if ready else Step.IMPLEMENT
        case Implemented():
            return Step.HAND_IN
        case HandedIn():
            return Step.CLAIM_REVIEW if review_claim else Step.REVIEW
        case Judged(None):
            return Step.REVIEW
        case Judged(verdict):
            return Step.APPROVE if verdict == "approved" else Step.REJECT
        case Limited():
            return step
        case Failed():
            return _after_failure(step, outcome)
        case Unreviewed(reason):
            return Block(EndCode.UNREVIEWED_CHANGES, reason)
        case Approved():
            return End(EndCode.COMPLETED)
        case Outdated(times, reason):
            return Step.REVIEW if times <= MOVES else Block(EndCode.UNREVIEWED_CHANGES, reason)
        case Overruled():
            return Step.REJECT if step is Step.APPROVE else _overruled_too_late()
        case Rejected():
            return _after_rejection(outcome)
        case Refused():
            return _after_refusal(step, outcome)
        case Stopped(end):
            return end
        case Unusable(reason, workspace):
            return Block(EndCode.UNUSABLE, reason, workspace)
        case unreachable:
            assert_never(unreachable)


def first_step(lane: Lane, review_claim: bool) -> Step | None:
    """The step that a work package in `lane` continues with; None where nothing is to be done."""
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


def starts_attempt(step: Step, lane: Lane) -> bool:
    """Whether an attempt follows, so that limits are checked before. `lane` is the one that it is in.

    A review that is not claimed yet may as well be left to others.
    """
    return step in {Step.IMPLEMENT, Step.REVIEW} or (step is Step.CLAIM_REVIEW and lane is Lane.FOR_REVIEW)


def after_block(block: Block, refusal: str | None) -> End:
    """The end of a work package that was to be blocked; `refusal` is why the host did not do that."""
    if refusal is None:
        return End(block.code, block.reason)
    return End(EndCode.NOT_BLOCKED, f"{block.reason} (and the host did not move it to blocked: {refusal})")


def _left(lane: Lane) -> End:
    """The end of a work package whose lane leaves nothing to do."""
    if lane is Lane.DONE:
        return End(EndCode.COMPLETED)
    code = EndCode.CANCELED if lane is Lane.CANCELED else EndCode.BLOCKED_ON_HOST
    return End(code, f"the host has it in the lane {lane}")


def _moved_unclaimed(lane: Lane) -> str:
    return (
        f"it was moved to {lane} by others while an attempt of this run was at work, and nothing of it was "
        "reviewed. Move it back to planned on the host, or cancel it there, then run again"
    )


def _overruled_too_late() -> Block:
    return Block(
        EndCode.REJECTED_AFTER_APPROVAL, "the gate `done` was rejected after its approval on the host"
    )


def _after_failure(step: Step, failed: Failed) -> Next:
    match failed.action:
        case Action.RETRY | Action.WAIT | Action.FALLBACK | Action.REWORK:
            return step
        case Action.REFRESH:
            return Step.READ_LANE
        case Action.SKIP:
            return End(EndCode.SKIPPED, failed.reason)
        case Action.PAUSE:
            return paused(failed.reason)
        case Action.ABORT:
            return Abort(failed.reason, ExitStatus.INCOMPLETE)
        case Action.BLOCK:
            return Block(EndCode.ATTEMPT_FAILED, failed.reason)
        case unreachable:
            assert_never(unreachable)


def _after_rejection(rejected: Rejected) -> Next:
    used_up = f"no round of rework is left {rejected.review}"
    match rejected.action:
        case Action.REWORK:
            return Step.IMPLEMENT
        case Action.SKIP:
            return End(EndCode.SKIPPED, f"left as it is {rejected.review}")
        case Action.PAUSE:
            return paused(f"{used_up}\nTo allow more, raise retry.review.changes_requested.attempts")
        case Action.ABORT:
            return Abort(used_up, ExitStatus.INCOMPLETE)
        case Action.BLOCK | Action.FALLBACK | Action.RETRY | Action.WAIT | Action.REFRESH:
            return Block(EndCode.REWORK_USED_UP, used_up)
        case unreachable:
            assert_never(unreachable)


def _after_refusal(step: Step, refused: Refused) -> Next:  # noqa: PLR0911 - a table
    match refused.action:
        case Action.RETRY | Action.WAIT:
            return step
        case Action.REFRESH:
            return Step.READ_LANE
        case Action.SKIP if refused.holder:
            return End(EndCode.HELD, f"held by {refused.holder}")
        case Action.SKIP:
            return End(EndCode.SKIPPED, refused.reason)
        case Action.PAUSE:
            return paused(refused.reason)
        case Action.ABORT:
            return Abort(refused.reason, abort_status(lost=refused.lost))
        case Action.BLOCK | Action.FALLBACK | Action.REWORK:  # the host has no next agent and no feedback
            return Block(EndCode.HOST_REFUSED, refused.reason)
        case unreachable:
            assert_never(unreachable)


def paused(reason: str) -> End:
    """The end of a work package that stays where it is until a person has fixed what `reason` says."""
    return End(EndCode.PAUSED, f"{reason}\n{CONTINUES}")


def abort_status(*, lost: bool) -> ExitStatus:
    """The exit status of a run that a refused call ended: a lost one means that the host is unusable."""
    return ExitStatus.HOST if lost else ExitStatus.INCOMPLETE
