"""The simulated host's rules: which moves there are, what each needs, and that refusals change nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kitty_run.host.model import Lane
from kitty_run.host.sim.rules import apply
from kitty_run.host.sim.state import Answer, Call, SimState, SimWorkPackage
from kitty_run.host.sim.tables import rules

POLICY: dict[str, object] = {
    "orchestrator_id": "kitty-run",
    "orchestrator_version": "0.1.0",
    "agent_family": "claude",
    "approval_mode": "supervised",
    "sandbox_mode": "workspace_write",
    "network_mode": "none",
    "dangerous_flags": [],
}
REVIEW: dict[str, object] = {"reviewer": "codex", "verdict": "approved", "reference": "r/1"}

BARE = {
    "mission": {
        ("planned", "claimed"), ("planned", "blocked"), ("planned", "canceled"),
        ("claimed", "in_progress"), ("claimed", "blocked"), ("claimed", "canceled"),
        ("in_progress", "for_review"), ("in_progress", "blocked"), ("in_progress", "canceled"),
        ("for_review", "in_review"), ("for_review", "blocked"), ("for_review", "canceled"),
        ("approved", "blocked"), ("approved", "canceled"),
        ("blocked", "in_progress"), ("blocked", "canceled"),
    },
    "feature": {
        ("planned", "in_progress"), ("planned", "blocked"), ("planned", "canceled"),
        ("in_progress", "for_review"), ("in_progress", "blocked"), ("in_progress", "canceled"),
        ("for_review", "done"), ("for_review", "blocked"), ("for_review", "canceled"),
        ("done", "blocked"), ("done", "canceled"), ("blocked", "canceled"), ("canceled", "blocked"),
    },
}  # fmt: skip
"""Moves that need nothing but a policy: recorded on spec-kitty-cli 3.2.7 and 1.0.3."""


def one(lane: str, **fields: object) -> SimState:
    wp = SimWorkPackage("WP01", Lane(lane), actor="kitty-run")
    return SimState("demo", {"WP01": replace(wp, **fields)})


def move(dialect: str, state: SimState, to: str, **options: object) -> tuple[SimState, Answer]:
    call = Call("transition", wp="WP01", to=to, actor="kitty-run", policy=POLICY)
    return apply(rules(dialect), state, replace(call, **options))


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_the_moves_that_need_nothing_are_those_of_the_real_host(dialect: str) -> None:
    lanes = [lane.value for lane in rules(dialect).transitions]
    pairs = {(source, to) for source in lanes for to in lanes if source != to}
    found = {(source, to) for source, to in pairs if move(dialect, one(source), to)[1].code is None}
    assert found == BARE[dialect]


@pytest.mark.parametrize(
    ("dialect", "source", "to", "needed"),
    [
        ("mission", "in_review", "done", {"review_result": REVIEW}),
        ("mission", "in_review", "approved", {"review_result": REVIEW}),
        (
            "mission",
            "in_review",
            "in_progress",
            {"review_result": {**REVIEW, "verdict": "changes_requested"}},
        ),
        ("mission", "in_review", "blocked", {"review_result": {**REVIEW, "verdict": "changes_requested"}}),
        ("mission", "approved", "done", {"evidence": {"review": REVIEW}}),
        ("mission", "approved", "in_progress", {"review_ref": "r/1"}),
        ("mission", "in_progress", "approved", {"evidence": {"review": REVIEW}}),
        ("mission", "in_progress", "planned", {"note": "given back"}),
        ("feature", "for_review", "in_progress", {"review_ref": "r/1"}),
        ("feature", "for_review", "planned", {"review_ref": "r/1"}),
    ],
)
def test_a_guarded_move_needs_what_the_real_host_wants(
    dialect: str, source: str, to: str, needed: dict[str, object]
) -> None:
    assert move(dialect, one(source), to)[1].code == "TRANSITION_REJECTED"
    after, answer = move(dialect, one(source), to, **needed)
    assert answer.code is None
    assert after.work_packages["WP01"].lane == to


@pytest.mark.parametrize(
    "options",
    [
        {"review_result": {**REVIEW, "verdict": "changes_requested"}},
        {"review_result": {**REVIEW, "reviewer": ""}},
        {"review_result": REVIEW, "review_ref": "another"},
        {"review_result": REVIEW, "evidence": {"review": {**REVIEW, "reference": "another"}}},
    ],
)
def test_a_review_that_contradicts_itself_approves_nothing(options: dict[str, object]) -> None:
    assert move("mission", one("in_review"), "done", **options)[1].code == "TRANSITION_REJECTED"


def test_work_is_handed_in_with_a_commit_and_its_subtasks_ticked() -> None:
    state = one("in_progress", subtasks=("T001",))
    assert move("mission", state, "for_review")[1].code == "TRANSITION_REJECTED"
    state, _ = apply(rules("mission"), state, Call("mark-status", subtasks=("T001",)))
    assert move("mission", state, "for_review", committed=False)[1].code == "TRANSITION_REJECTED"
    assert move("mission", state, "for_review")[1].code is None


@pytest.mark.parametrize(("dialect", "code"), [("mission", "TRANSITION_REJECTED"), ("feature", None)])
def test_the_same_lane_again(dialect: str, code: str | None) -> None:
    assert move(dialect, one("for_review"), "for_review")[1].code == code


@pytest.mark.parametrize(("note", "ready"), [("dropped", True), (None, False)])
def test_a_dependency_removed_with_a_note_no_longer_counts(note: str | None, ready: bool) -> None:
    state = SimState(
        "demo",
        {"WP01": SimWorkPackage("WP01"), "WP02": SimWorkPackage("WP02", dependencies=("WP01",))},
    )
    state, _ = move("mission", state, "canceled", note=note)
    _, answer = apply(rules("mission"), state, Call("list-ready"))
    assert bool(answer.data["ready_work_packages"]) is ready


CALLS = st.builds(
    Call,
    command=st.sampled_from(["start-implementation", "start-review", "transition", "append-history"]),
    wp=st.sampled_from(["WP01", "WP02", "WP09"]),
    to=st.sampled_from([*(lane.value for lane in Lane), "limbo"]),
    actor=st.sampled_from(["kitty-run", "other"]),
    note=st.none() | st.just("why"),
    review_ref=st.none() | st.just("r/1"),
    policy=st.sampled_from([None, POLICY, "", {}]),
    review_result=st.none() | st.just(REVIEW),
    evidence=st.none() | st.just({"review": REVIEW}),
)


@pytest.mark.heavy
@given(dialect=st.sampled_from(["mission", "feature"]), calls=st.lists(CALLS, max_size=12))
def test_whatever_is_called_a_refusal_changes_nothing_and_done_is_never_left(
    dialect: str, calls: list[Call]
) -> None:
    state = SimState(
        "demo",
        {"WP01": SimWorkPackage("WP01"), "WP02": SimWorkPackage("WP02", dependencies=("WP01",))},
    )
    for call in calls:
        after, answer = apply(rules(dialect), state, call)
        if answer.code is not None:
            assert after == state
        for wp, new in after.work_packages.items():
            old = state.work_packages[wp]
            if old.lane is Lane.DONE and new.lane is not Lane.DONE:
                assert dialect == "feature"
                assert new.lane in {Lane.BLOCKED, Lane.CANCELED}
        state = after
