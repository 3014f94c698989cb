"""Whole missions on every real host and topology: what is merged is what the agents wrote."""

from __future__ import annotations

import json

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.assertions import assert_few_calls, assert_no_force, assert_tidy
from tests.e2e.bench import DIAMOND, mission
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED_LANES, SIMULATED_TOPOLOGIES, real, slow
from tests.hosts import FEATURE_HOST, MISSION_HOST, NEXT_HOST

# On the younger hosts `make test` plays a smaller mission with a rework: the one of test_interruptions.py.
SHAPES = [
    SIMULATED_LANES,
    *SIMULATED_TOPOLOGIES.values(),
    real(FEATURE_HOST),
    *(slow(MISSION_HOST, topology) for topology in ("coord", "lanes", "single_branch", "legacy")),
    *(slow(NEXT_HOST, topology) for topology in ("lanes", "coord", "single_branch")),
]


@pytest.mark.parametrize(PLACE, SHAPES)
def test_a_diamond_with_one_rework_is_merged_byte_for_byte(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(DIAMOND, topology))
    it.plan({"WP01": ["rich"], "WP03": ["links"]}, {"WP02": ["reject", "approve"]})
    specs_before = it.git("ls-files", "kitty-specs")
    ran = it.run()
    assert ran.status == 0, ran.text
    assert it.lanes() == dict.fromkeys(DIAMOND, "done")
    assert it.tree() == it.written()
    assert (it.tree()["WP02.txt"], ran.report["accepted"]) == (b"WP02 in cycle 2\n", True)
    assert_no_force(it)
    assert_few_calls(it)
    assert_tidy(it)
    assert set(specs_before.splitlines()) <= set(it.git("ls-files", "kitty-specs").splitlines())
    again = it.run()
    assert (again.status, again.report["attempts"]) == (0, 0), again.text


@pytest.mark.real_host
def test_a_mission_is_accepted_on_its_reviewers_evidence_and_its_record_survives_the_merge(
    bench: MakeBench,
) -> None:
    """On the generation that wants evidence: reserved, reworked, accepted and merged, nothing by hand."""
    it = bench(NEXT_HOST, mission({"WP01": ()}, "lanes"))
    it.plan({}, {"WP01": ["reject", "approve"]})
    ran = it.run()
    assert ran.status == 0, ran.text
    assert (it.lanes(), it.tree()) == ({"WP01": "done"}, it.written())
    settled = it.events("criterion.settled")
    assert [(event["criterion"], event["result"]) for event in settled] == [("FR-001", "pass")]
    assert "reviewed by rev: WP01.txt is there" in settled[0]["evidence"]
    matrix, meta = (
        json.loads(it.git("show", f"{it.project.branch}:kitty-specs/{it.project.mission}/{name}"))
        for name in ("acceptance-matrix.json", "meta.json")
    )
    assert [one["pass_fail"] for one in matrix["criteria"]] == ["pass"]
    assert meta["accepted_by"] == "kitty-run"
    assert_no_force(it)
    assert_tidy(it)
