"""A new agent family is one file of data: dropped into a directory, it takes a mission to its end."""

from __future__ import annotations

import pytest
import yaml
from kitty_run.demo.spec import Topology

from tests.e2e.bench import mission
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, slow
from tests.hosts import FEATURE_HOST


@pytest.mark.parametrize(PLACE, [SIMULATED, slow(FEATURE_HOST)])
def test_a_family_dropped_into_a_directory_runs_a_mission(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission({"WP01": (), "WP02": ("WP01",)}, topology))
    families = it.room / "families"
    families.mkdir()
    for name, agent in it.profile.pop("agents").items():
        family = {**agent, "family": f"newcomer-{name}"}
        text = yaml.safe_dump({"version": 1, "agents": {name: family}}, sort_keys=False)
        (families / f"{name}.yaml").write_text(text, encoding="utf-8")
    it.profile["extends"] = [f"./families/{path.name}" for path in sorted(families.iterdir())]
    ran = it.run()
    assert ran.status == 0, ran.text
    assert it.tree() == it.written()
    assert {event["family"] for event in it.events("attempt.started")} == {"newcomer-imp", "newcomer-rev"}
