"""The client: one call at a time, texts sanitised, paths checked, every call observed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from kitty_run.host.model import Lane, MergeReply, MissionState, Review

from tests.host.client.desk import APPROVAL, POLICY, Desk, allocation, refusal
from tests.host.scripted import refused, success


def test_the_state_names_lanes_dependencies_and_actors(desk: Callable[..., Desk]) -> None:
    state = asyncio.run(desk().client.state())
    assert state.lane("WP01") is Lane.IN_REVIEW
    assert state.work_packages[1].dependencies == ("WP01",)


def test_an_unknown_lane_is_not_guessed_at(desk: Callable[..., Desk]) -> None:
    reply = success(mission_slug="demo", work_packages=[{"wp_id": "WP01", "lane": "limbo"}])
    found = refusal(desk(reply).client.state())
    assert found.code == "HOST_UNREADABLE"
    assert "'limbo'" in str(found)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "-x", ".", ""])
def test_names_that_are_no_plain_names_never_become_paths(desk: Callable[..., Desk], name: str) -> None:
    here = desk(success(mission_slug="demo", work_packages=[{"wp_id": name, "lane": "planned"}]))
    assert refusal(here.client.state()).code == "HOST_UNREADABLE"
    here = desk(success(mission_slug=name, work_packages=[]))
    assert refusal(here.client.state()).code == "HOST_UNREADABLE"


@pytest.mark.parametrize("data", [{}, {"mission_slug": "x", "work_packages": "none"}, {"work_packages": []}])
def test_a_state_without_its_fields_is_unreadable(desk: Callable[..., Desk], data: dict[str, object]) -> None:
    assert refusal(desk(success(**data)).client.state()).code == "HOST_UNREADABLE"


def test_the_connection_s_own_state_is_used_once_and_never_after_another_call(
    desk: Callable[..., Desk],
) -> None:
    async def go() -> tuple[MissionState, int, int]:
        known = MissionState("demo", ())
        first, second = desk(), desk()
        first.client.first = known
        assert await first.client.state() is known
        await first.client.state()
        second.client.first = known
        await second.client.note("WP01", "x")
        await second.client.state()
        return known, len(first.starter.calls), len(second.starter.calls)

    assert asyncio.run(go())[1:] == (1, 2)


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_texts_reach_the_host_as_one_harmless_line(desk: Callable[..., Desk], dialect: str) -> None:
    here = desk(dialect=dialect, actor='kit"ty\nrun')
    asyncio.run(here.client.block("WP01", Lane.FOR_REVIEW, 'broken:\n"x" \\ y', POLICY))
    assert here.option("--note") == "broken: 'x' / y"
    assert here.option("--actor") == "kit'ty run"
    asyncio.run(here.client.reject("WP01", Review("r", "changes_requested", APPROVAL.reference), POLICY))
    assert here.option("--review-ref") == "review/WP01 1"
    asyncio.run(here.client.note("WP01", "n" * 5000))
    assert len(here.option("--note")) == 500


def test_the_review_is_sent_as_the_result_and_as_evidence(desk: Callable[..., Desk]) -> None:
    here = desk()
    asyncio.run(here.client.approve("WP01", APPROVAL, POLICY))
    review = {"reviewer": "the 'best' reviewer", "verdict": "approved", "reference": "review/WP01 1"}
    assert json.loads(here.option("--review-result-json")) == review
    assert json.loads(here.option("--evidence-json")) == {"review": review}


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_one_actor_makes_every_move_into_progress(desk: Callable[..., Desk], dialect: str) -> None:
    here = desk(dialect=dialect)

    async def go() -> list[str]:
        here.starter.answer = lambda argv: allocation(here)
        await here.client.claim("WP01", POLICY)
        claimed = here.option("--actor")
        await here.client.reject("WP01", Review("codex", "changes_requested", "r/1"), POLICY)
        return [claimed, here.option("--actor")]

    assert asyncio.run(go()) == ["kitty-run", "kitty-run"]


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_nothing_is_approved_by_a_review_that_did_not(desk: Callable[..., Desk], dialect: str) -> None:
    here = desk(dialect=dialect)
    rejection = Review("codex", "changes_requested", "r/1")
    for step, review in (
        (here.client.approve, rejection),
        (here.client.confirm, rejection),
        (here.client.reject, APPROVAL),
    ):
        with pytest.raises(ValueError, match="verdict"):
            asyncio.run(step("WP01", review, POLICY))
    assert here.starter.calls == []


def test_the_policy_goes_as_it_is(desk: Callable[..., Desk]) -> None:
    here = desk()
    asyncio.run(here.client.hand_in("WP01", POLICY))
    assert json.loads(here.option("--policy")) == POLICY


@pytest.mark.parametrize("step", ["claim_review", "confirm", "tick"])
def test_a_step_that_the_dialect_lacks_is_no_call(desk: Callable[..., Desk], step: str) -> None:
    here = desk(dialect="feature")
    calls: dict[str, Awaitable[None]] = {
        "claim_review": here.client.claim_review("WP01", POLICY),
        "confirm": here.client.confirm("WP01", APPROVAL, POLICY),
        "tick": here.client.tick("WP01", ["T001"]),
    }

    async def go() -> None:
        for name, call in calls.items():
            await call if name == step else call.close()  # type: ignore[attr-defined]

    asyncio.run(go())
    assert here.starter.calls == []


def test_nothing_to_tick_is_no_call(desk: Callable[..., Desk]) -> None:
    here = desk()
    asyncio.run(here.client.tick("WP01", []))
    assert here.starter.calls == []


def test_an_allocation_has_branch_and_base(desk: Callable[..., Desk]) -> None:
    here = desk()
    here.starter.answer = lambda argv: allocation(here)
    found = asyncio.run(here.client.claim("WP01", POLICY))
    assert (found.branch, found.base) == ("kitty/mission-demo-lane-a", "main")
    assert found.workspace == here.repo / ".worktrees/demo-lane-a"
    assert asyncio.run(here.client.locate("WP01")) == found


def test_a_workspace_by_convention_has_a_branch_named_as_its_directory(desk: Callable[..., Desk]) -> None:
    here = desk(dialect="feature")
    found = asyncio.run(here.client.locate("WP02"))
    assert (found.workspace.name, found.branch) == ("demo-WP02", "demo-WP02")
    assert found.prompt == here.repo / "kitty-specs/demo/tasks/WP02-second.md"
    assert here.starter.calls == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"workspace_path": "/etc"}, "HOST_UNREADABLE"),
        ({"workspace_path": "../elsewhere"}, "HOST_UNREADABLE"),
        ({"workspace_path": "link"}, "HOST_UNREADABLE"),
        ({"workspace_path": ""}, "HOST_UNREADABLE"),
        ({"prompt_path": "/etc/hostname"}, "HOST_UNREADABLE"),
        ({"prompt_path": "kitty-specs/demo/tasks/WP09.md"}, "PROMPT_MISSING"),
        ({"workspace_path": "."}, "WORKSPACE_UNUSABLE"),
        ({"lane_branch": "--upload-pack=x"}, "HOST_UNREADABLE"),
        ({"lane_base_ref": 7}, "HOST_UNREADABLE"),
        ({"wp_id": "../WP01"}, "HOST_UNREADABLE"),
        ({"workspace_path": ".worktrees/demo-WP01", "lane_branch": None}, "WORKSPACE_UNUSABLE"),
    ],
)
def test_paths_that_cannot_be_worked_on_are_refused(
    desk: Callable[..., Desk], changed: dict[str, object], code: str
) -> None:
    here = desk()
    (here.repo / "link").symlink_to("/usr")
    here.starter.answer = lambda argv: allocation(here, **changed)
    found = refusal(here.client.claim("WP01", POLICY))
    assert found.code == code
    assert str(found).startswith("claim: ")
    assert [record.code for record in here.records] == [code], "else its repeats would never be used up"


def test_a_merge_returns_target_strategy_and_what_was_merged(desk: Callable[..., Desk]) -> None:
    reply = success(merged=True, target_branch="main", strategy="merge", merged_wps=["WP01"])
    merged = asyncio.run(desk(reply, "feature").client.merge(None, "merge", False))
    assert merged == MergeReply("main", "merge", ("WP01",))
    assert asyncio.run(desk(reply).client.merge("main", "merge", True)).merged is None


def test_a_merge_that_merged_nothing_of_the_kind_is_unreadable(desk: Callable[..., Desk]) -> None:
    assert refusal(desk(success(merged=False)).client.merge(None, "merge", False)).code == "HOST_UNREADABLE"


def test_a_target_is_only_named_where_it_is_given(desk: Callable[..., Desk]) -> None:
    here = desk(success(merged=True))
    asyncio.run(here.client.merge(None, "squash", False))
    assert "--target" not in here.argv
    assert "--push" not in here.argv
    asyncio.run(here.client.merge("main", "squash", True))
    assert here.option("--target") == "main"
    assert "--push" in here.argv


def test_every_call_is_observed_with_its_code(desk: Callable[..., Desk]) -> None:
    here = desk()
    asyncio.run(here.client.state())
    here.starter.answer = lambda argv: refused("WP_ALREADY_CLAIMED", claimed_by="x")
    refusal(here.client.claim("WP01", POLICY))
    seen = [(record.operation, record.wp, record.code) for record in here.records]
    assert seen == [("state", None, None), ("claim", "WP01", "WP_ALREADY_CLAIMED")]


def test_closing_the_client_closes_its_starter(desk: Callable[..., Desk]) -> None:
    here = desk()
    asyncio.run(here.client.close())
    assert here.starter.calls == [("closed",)]


@pytest.mark.parametrize("named", ["", ".worktrees/demo-lane-a", ".."])
def test_work_at_the_root_is_done_apart_where_the_topology_says_so(
    desk: Callable[..., Desk], named: str
) -> None:
    """single_branch on spec-kitty 4: the host names the root checkout, for all work packages alike."""
    it = desk(dialect="mission-4")
    meta = it.repo / "kitty-specs/demo/meta.json"
    meta.write_text('{"topology": "single_branch", "merged_at": null}')
    reply = allocation(it, workspace_path=str(it.repo / named), lane_branch="main")
    at = desk(reply, dialect="mission-4").client
    if named:
        assert refusal(at.claim("WP01", POLICY)).code in {"WORKSPACE_UNUSABLE", "HOST_UNREADABLE"}
        return
    found = asyncio.run(at.claim("WP01", POLICY))
    assert (found.workspace, found.branch, found.base) == (
        it.repo / ".worktrees/demo-work",
        "demo-work",
        "main",
    )
    assert set(at.workspaces(["WP01", "WP02"]).values()) == {".worktrees/demo-work"}
    assert at.merge_recorded is False
    meta.write_text('{"topology": "single_branch", "merged_at": "2026-11-29"}')
    assert at.merge_recorded is True
    meta.write_text('{"topology": "lanes"}')
    assert at.merge_recorded is None
