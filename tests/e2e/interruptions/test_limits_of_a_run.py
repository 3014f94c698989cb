"""A limit on a real host: the run pauses with what it cost and what is left, and a higher one finishes it."""

from __future__ import annotations

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.assertions import assert_no_force, assert_tidy
from tests.e2e.bench import mission
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, later

METER = {"format": "jsonl", "cost_usd": "/cost", "input_tokens": "/read", "output_tokens": "/written"}


@pytest.mark.parametrize(
    PLACE,
    [SIMULATED, *later("coord")],
)
def test_a_limit_pauses_the_mission_and_a_higher_one_ends_it(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission({"WP01": (), "WP02": ("WP01",)}, topology))
    metered = {"WP01": ["metered"], "WP02": ["metered"]}
    it.plan(metered, metered)
    it.profile["limits"] = {"cost_usd": 1, "work_package": {"attempts": 4}}
    for agent in it.profile["agents"].values():
        agent["output"] = METER
    ran = it.run()
    assert ran.status == 4, ran.text
    assert ran.report["limits"] == [{"limit": "limits.cost_usd", "wp": None, "used": 1.0, "allowed": 1}]
    assert (ran.report["cost_usd"], ran.report["tokens"]) == (1.0, 1100)
    assert ran.report["left"] == {"WP02": "planned"}
    assert "raise limits.cost_usd, then run the same command again" in ran.report["next"]
    assert "left: WP02 (planned)" in ran.text
    assert it.lanes() == {"WP01": "done", "WP02": "planned"}
    again = it.run()
    assert (again.status, again.report["attempts"], again.report["left"]) == (4, 2, {"WP02": "planned"})
    raised = it.run("--set", "/limits/cost_usd=2.5")
    assert raised.status == 0, raised.text
    assert (raised.report["attempts"], raised.report["cost_usd"], raised.report["limits"]) == (4, 2.0, [])
    assert it.tree() == it.written()
    assert_no_force(it)
    assert_tidy(it)
