"""What the runner reports to a host that wants evidence, and how the host's refusals are shown to people."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.host.client.desk import Desk, refusal
from tests.host.recordings import recorded
from tests.host.scripted import refused, success


def test_all_that_is_outstanding_at_accept_is_named_with_who_settles_it_and_how(
    desk: Callable[..., Desk],
) -> None:
    reply = recorded("4.0.0rc7", "accept-mission.MISSION_NOT_READY-matrix-pending-and-paths")
    it = desk(reply, dialect="mission-4")
    matrix = {
        "criteria": [
            {
                "criterion_id": "FR-001",
                "description": "sums",
                "proof_type": "automated_test",
                "pass_fail": "pending",
            },
            {
                "criterion_id": "FR-002",
                "description": "shows",
                "proof_type": "manual_qa",
                "pass_fail": "pass",
            },
            {"no": "id"},
        ]
    }
    (it.repo / "kitty-specs/demo/acceptance-matrix.json").write_text(json.dumps(matrix))
    refused = refusal(it.client.accept())
    told = str(refused)
    assert refused.code == "MISSION_NOT_READY"
    assert "metadata: WP01: missing agent in canonical runtime state" in told
    assert "metadata: WP03: missing agent" in told
    assert "spec-kitty agent tasks move-task WP --to LANE --agent kitty-run --mission demo" in told
    assert "activity: Acceptance matrix verdict is 'pending'" in told
    assert "Software Dev Kitty expects tests path: tests/ (not found)" in told
    by_hand = "spec-kitty agent acceptance-verdict --mission demo --criterion FR-001 --result pass"
    assert by_hand in told
    assert "--criterion FR-002" not in told


KINDS = (
    *("not_done", "lane_blockers", "delivered_nothing", "metadata", "activity", "unchecked_tasks"),
    *("needs_clarification", "missing_artifacts", "git_dirty", "path_violations"),
)
"""All that 4.0.0rc7 names as outstanding (its sources, `acceptance.outstanding`)."""


@pytest.mark.parametrize("kind", [*KINDS, "of_a_later_host"])
def test_every_kind_is_named_with_who_settles_it_and_the_command(
    desk: Callable[..., Desk], kind: str
) -> None:
    it = desk(refused("MISSION_NOT_READY", outstanding={kind: ["one thing", "another"]}), dialect="mission-4")
    told = str(refusal(it.client.accept()))
    assert f"{kind}: one thing" in told
    assert f"{kind}: another" in told
    if kind == "of_a_later_host":
        return
    settled = told.partition("settled by ")[2]
    assert settled.startswith(("you", "kitty-run", "reviewers"))
    assert "{" not in settled
    by_commands_below = kind in {"activity", "path_violations"}
    assert "`" in settled or "run again" in settled or by_commands_below


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("consolidate-mission.PREFLIGHT_FAILED-LANE_MOVED_AFTER_APPROVAL", "LANE_MOVED_AFTER_APPROVAL"),
        ("consolidate-mission.PREFLIGHT_FAILED-ORIGIN_UNREACHABLE", "ORIGIN_UNREACHABLE"),
        ("consolidate-mission.PREFLIGHT_FAILED-root-dirty-tracked-file", "MERGE_UNSAFE_PRIMARY_DIRTY"),
        ("consolidate-mission.PREFLIGHT_FAILED-lane-branch-of-canceled-WP-missing", "PREFLIGHT_FAILED"),
    ],
)
def test_the_code_that_says_most_is_the_one_decided_by(
    desk: Callable[..., Desk], name: str, code: str
) -> None:
    it = desk(recorded("4.0.0rc7", name), dialect="mission-4")
    refused = refusal(it.client.merge("main", "merge", push=False))
    assert (refused.code, it.records[-1].code) == (code, code)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"criteria": 1}', '{"criteria": [1, null, {"criterion_id": 7}]}']
)
def test_a_file_of_criteria_that_makes_no_sense_has_none(desk: Callable[..., Desk], text: str) -> None:
    it = desk(dialect="mission-4")
    assert it.client.criteria() == ()
    (it.repo / "kitty-specs/demo/acceptance-matrix.json").write_text(text)
    assert it.client.criteria() == ()


@pytest.mark.parametrize("name", ["", '"}]}', "FR 1", "FR-1\n```", "-x", "x" * 101])
def test_a_criterion_whose_id_could_be_more_than_a_name_is_left_to_people(
    desk: Callable[..., Desk], name: str
) -> None:
    it = desk(dialect="mission-4")
    found = {"criteria": [{"criterion_id": name, "description": "x", "pass_fail": "pending"}]}
    (it.repo / "kitty-specs/demo/acceptance-matrix.json").write_text(json.dumps(found))
    assert it.client.criteria() == ()


@pytest.mark.parametrize("code", ["", 7, None, "lower", "X" * 101, "TWO WORDS"])
def test_what_is_no_code_leaves_the_refusal_its_own(desk: Callable[..., Desk], code: object) -> None:
    it = desk(refused("PREFLIGHT_FAILED", preflight_error_code=code), dialect="mission-4")
    assert refusal(it.client.merge("main", "merge", push=False)).code == "PREFLIGHT_FAILED"


def test_a_criterion_is_settled_in_one_line_of_evidence(desk: Callable[..., Desk]) -> None:
    it = desk(recorded("4.0.0rc7", "agent-acceptance-verdict.ok"), dialect="mission-4")
    asyncio.run(it.client.settle("FR-001", "pass", "WP01:\na test"))
    assert (it.option("--criterion"), it.option("--result"), it.option("--evidence")) == (
        "FR-001",
        "pass",
        "WP01: a test",
    )
    assert it.argv[:2] == ("agent", "acceptance-verdict")


def test_a_work_package_is_reserved_by_name_where_the_host_wants_that(desk: Callable[..., Desk]) -> None:
    it = desk(recorded("4.0.0rc7", "agent-tasks-move-task.to-claimed-agent"), dialect="mission-4")
    asyncio.run(it.client.reserve("WP01"))
    assert (it.argv[3], it.option("--to"), it.option("--agent")) == ("WP01", "claimed", "kitty-run")
    other = desk(dialect="mission")
    asyncio.run(other.client.reserve("WP01"))
    assert other.starter.calls == []


def test_the_origin_check_of_the_profile_is_handed_on(desk: Callable[..., Desk]) -> None:
    it = desk(success(merged=True), dialect="mission-4")
    asyncio.run(it.client.merge("main", "merge", push=False))
    assert "--origin-check" not in it.argv
    it.client.connection = replace(it.client.connection, origin_check="warn")
    asyncio.run(it.client.merge("main", "merge", push=False))
    assert it.option("--origin-check") == "warn"
