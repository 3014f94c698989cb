"""The state machine of a work package: every step with every outcome."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    Outdated,
    Overruled,
    Refused,
    Rejected,
    Stopped,
    Unreviewed,
    Unusable,
)
from kitty_run.engine.lifecycle.state_machine import (
    MOVES,
    Next,
    Step,
    StepOutcome,
    after_block,
    next_step,
    outcomes,
    starts_attempt,
)
from kitty_run.engine.shutdown import End
from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action
from kitty_run.profile.retry_verbs import Again, Ends, verb

from tests.engine.lifecycle.transitions import STOPPED, all_outcomes, transitions, variants

ALL = transitions()
ATTEMPTS = (Step.IMPLEMENT, Step.REVIEW)
NOT_FOR_HOSTS = {Action.FALLBACK, Action.REWORK}
CALLING = tuple(step for step in Step if step is not Step.READ_LANE)


@pytest.mark.parametrize(
    ("step", "outcome", "following"),
    [
        (Step.READ_LANE, Found(Lane.PLANNED), Step.CLAIM),
        (Step.READ_LANE, Found(Lane.CLAIMED), Step.CLAIM),
        (Step.READ_LANE, Found(Lane.IN_PROGRESS), Step.CLAIM),
        (Step.READ_LANE, Found(Lane.FOR_REVIEW), Step.CLAIM_REVIEW),
        (Step.READ_LANE, Found(Lane.IN_REVIEW), Step.CLAIM_REVIEW),
        (Step.READ_LANE, Found(Lane.APPROVED), Step.CONFIRM),
        (Step.READ_LANE, Found(Lane.DONE), EndCode.COMPLETED),
        (Step.READ_LANE, Found(Lane.CANCELED), EndCode.CANCELED),
        (Step.READ_LANE, Found(Lane.BLOCKED), EndCode.BLOCKED_ON_HOST),
        (Step.CLAIM, Claimed(ready=False), Step.IMPLEMENT),
        (Step.CLAIM, Claimed(ready=True), Step.HAND_IN),
        (Step.IMPLEMENT, Implemented(), Step.HAND_IN),
        (Step.HAND_IN, HandedIn(), Step.CLAIM_REVIEW),
        (Step.CLAIM_REVIEW, Judged(None), Step.REVIEW),
        (Step.CLAIM_REVIEW, Judged("approved"), Step.APPROVE),
        (Step.CLAIM_REVIEW, Judged("changes_requested"), Step.REJECT),
        (Step.REVIEW, Judged("approved"), Step.APPROVE),
        (Step.REVIEW, Judged("changes_requested"), Step.REJECT),
        (Step.REVIEW, Unreviewed(), EndCode.UNREVIEWED_CHANGES),
        (Step.APPROVE, Approved(), EndCode.COMPLETED),
        (Step.APPROVE, Overruled(), Step.REJECT),
        (Step.APPROVE, Outdated(MOVES), Step.REVIEW),
        (Step.APPROVE, Outdated(MOVES + 1), EndCode.UNREVIEWED_CHANGES),
        (Step.REJECT, Rejected(Action.REWORK), Step.IMPLEMENT),
        (Step.REJECT, Rejected(Action.BLOCK), EndCode.REWORK_USED_UP),
        (Step.CONFIRM, Approved(), EndCode.COMPLETED),
        (Step.CONFIRM, Overruled(), EndCode.REJECTED_AFTER_APPROVAL),
    ],
)
def test_what_follows(step: Step, outcome: StepOutcome, following: Step | EndCode) -> None:
    found = next_step(step, outcome, review_claim=True)
    assert (found.code if isinstance(found, End | Block) else found) is following


@pytest.mark.parametrize(
    ("step", "outcome"), [(Step.READ_LANE, Found(Lane.FOR_REVIEW)), (Step.HAND_IN, HandedIn())]
)
def test_a_host_without_a_review_claim_goes_straight_to_the_review(step: Step, outcome: StepOutcome) -> None:
    assert next_step(step, outcome, review_claim=False) is Step.REVIEW


@pytest.mark.parametrize("step", Step)
def test_an_outcome_that_is_not_the_steps_is_a_bug(step: Step) -> None:
    for outcome in all_outcomes():
        if type(outcome) in outcomes(step):
            assert isinstance(next_step(step, outcome, review_claim=True), Step | Block | End | Abort)
        else:
            with pytest.raises(ValueError, match=step.value):
                next_step(step, outcome, review_claim=True)


@pytest.mark.parametrize("step", ATTEMPTS)
@pytest.mark.parametrize("action", Action)
def test_after_a_failed_attempt_the_table_of_verbs_holds(step: Step, action: Action) -> None:
    following = next_step(step, Failed(action, "why"), review_claim=True)
    assert _is_as_the_table_says(following, action, step)
    assert isinstance(following, Block) is (action is Action.BLOCK)


@pytest.mark.parametrize("step", CALLING)
@pytest.mark.parametrize(
    "action", [action for action in Action if action not in {Action.FALLBACK, Action.REWORK}]
)
def test_after_a_refused_call_the_table_of_verbs_holds(step: Step, action: Action) -> None:
    assert _is_as_the_table_says(next_step(step, Refused(action, "why"), review_claim=True), action, step)


def _is_as_the_table_says(following: Next, action: Action, step: Step) -> bool:
    if (ends := verb(action).ends) is not None:
        return isinstance(following, Abort if ends is Ends.RUN else End | Block)
    return following is (Step.READ_LANE if verb(action).again is Again.STATE else step)


@pytest.mark.parametrize("action", sorted(NOT_FOR_HOSTS))
def test_a_host_has_no_next_agent_and_takes_no_feedback(action: Action) -> None:
    following = next_step(Step.CLAIM, Refused(action, "why"), review_claim=True)
    assert following == Block(EndCode.HOST_REFUSED, "why")


def test_who_holds_it_is_named() -> None:
    following = next_step(Step.CLAIM, Refused(Action.SKIP, "no", holder="bo"), review_claim=True)
    assert following == End(EndCode.HELD, "held by bo")


@pytest.mark.parametrize(("lost", "status"), [(True, ExitStatus.HOST), (False, ExitStatus.INCOMPLETE)])
def test_a_lost_call_that_ends_the_run_is_the_hosts_fault(lost: bool, status: ExitStatus) -> None:
    following = next_step(Step.CLAIM, Refused(Action.ABORT, "gone", lost=lost), review_claim=True)
    assert following == Abort("gone", status)


@pytest.mark.parametrize("step", CALLING)
def test_what_stops_or_breaks_a_step_ends_the_work_package(step: Step) -> None:
    assert next_step(step, Stopped(STOPPED), review_claim=True) is STOPPED
    broken = next_step(step, Unusable("torn", workspace=True), review_claim=True)
    assert broken == Block(EndCode.UNUSABLE, "torn", workspace=True)


def test_a_limited_family_uses_up_nothing() -> None:
    for step in ATTEMPTS:
        assert next_step(step, Limited(), review_claim=True) is step


def test_nothing_is_approved_but_by_a_verdict_or_on_the_host() -> None:
    ways_in = {(one.step, one.outcome) for one in ALL if one.next is Step.APPROVE}
    assert {outcome for _, outcome in ways_in if isinstance(outcome, Judged)} == {Judged("approved")}
    assert {step for step, outcome in ways_in if not isinstance(outcome, Judged)} <= {Step.APPROVE}
    done = {
        (one.step, one.outcome) for one in ALL if isinstance(one.next, End) and one.next.result is Result.DONE
    }
    assert done == {
        (Step.APPROVE, Approved()),
        (Step.CONFIRM, Approved()),
        (Step.READ_LANE, Found(Lane.DONE)),
    }


def test_only_an_approval_on_the_host_is_confirmed() -> None:
    ways_in = {one.outcome for one in ALL if one.next is Step.CONFIRM and one.step is not Step.CONFIRM}
    assert ways_in == {Found(Lane.APPROVED)}


@pytest.mark.parametrize("review_claim", [True, False])
def test_every_step_is_reached_and_leads_to_an_end(review_claim: bool) -> None:
    following = defaultdict(set)
    for one in ALL:
        if one.review_claim is review_claim:
            following[one.step].add(one.next if isinstance(one.next, Step) else "end")
    assert _reached(Step.READ_LANE, following) == {*Step, "end"}
    assert all("end" in _reached(step, following) for step in Step)


def _reached(start: Step, following: dict[Step, set[object]]) -> set[object]:
    found: set[object] = {start}
    ahead: list[object] = [start]
    while ahead:
        at = ahead.pop()
        new = following.get(at, set()) - found if isinstance(at, Step) else set()
        found |= new
        ahead.extend(new)
    return found


@given(st.data())
def test_whatever_happens_work_is_reviewed_between_two_hand_ins(data: st.DataObject) -> None:
    """A walk through random outcomes: no hand-in follows another without a review or a look at the lane."""
    step, open_hand_in = Step.READ_LANE, False
    for _ in range(40):
        kind = data.draw(st.sampled_from(outcomes(step)))
        outcome = data.draw(st.sampled_from(list(variants(kind))))
        following = next_step(step, outcome, review_claim=data.draw(st.booleans()))
        if step is Step.HAND_IN and isinstance(outcome, HandedIn):
            assert not open_hand_in
            open_hand_in = True
        if step in {Step.READ_LANE, Step.REVIEW, Step.CLAIM_REVIEW}:
            open_hand_in = False
        if not isinstance(following, Step):
            return
        step = following


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("lane", Lane)
def test_limits_are_checked_before_each_attempt_and_each_claim_of_a_review(step: Step, lane: Lane) -> None:
    claims = step is Step.CLAIM_REVIEW and lane is Lane.FOR_REVIEW
    assert starts_attempt(step, lane) is (step in ATTEMPTS or claims)


def test_a_block_that_the_host_refuses_is_reported() -> None:
    block = Block(EndCode.ATTEMPT_FAILED, "no luck")
    assert after_block(block, None) == End(EndCode.ATTEMPT_FAILED, "no luck")
    refused = after_block(block, "locked")
    assert refused.code is EndCode.NOT_BLOCKED
    assert refused.reason == "no luck (and the host did not move it to blocked: locked)"
