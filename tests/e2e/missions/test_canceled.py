"""Canceled work packages: hosts that make the branches want those of all, and would merge them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.bench import Bench, mission
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED_LANES, SIMULATED_TOPOLOGIES, slow
from tests.hosts import NEXT_HOST

POLICY = json.dumps(
    {
        "orchestrator_id": "me",
        "orchestrator_version": "1",
        "agent_family": "none",
        "approval_mode": "supervised",
        "sandbox_mode": "workspace_write",
        "network_mode": "none",
        "dangerous_flags": [],
    }
)


def call(it: Bench, command: str, *words: str) -> dict[str, Any]:
    """What a person's own call of the host gives."""
    reply: dict[str, Any] = it.host.reply(command, "--mission", it.project.mission, *words, cwd=it.root)
    assert reply["success"], reply
    data: dict[str, Any] = reply["data"]
    return data


@pytest.mark.parametrize(PLACE, [SIMULATED_LANES, slow(NEXT_HOST, "lanes"), slow(NEXT_HOST, "coord")])
@pytest.mark.parametrize("begun", [False, True], ids=["never-started", "begun"])
def test_a_canceled_work_package_is_in_no_merges_way_and_in_no_merge(
    bench: MakeBench, version: str, topology: Topology | None, begun: bool
) -> None:
    it = bench(version, mission({"WP01": (), "WP02": ()}, topology))
    if begun:
        place = call(it, "start-implementation", "--wp", "WP02", "--actor", "me", "--policy", POLICY)
        workspace = Path(place["workspace_path"])
        (workspace / "WP02.txt").write_text("unwanted", encoding="utf-8")
        it.git("add", "WP02.txt", cwd=workspace)
        it.git("commit", "-qm", "unwanted", cwd=workspace)
    call(it, "transition", "--wp", "WP02", "--to", "canceled", "--actor", "me", "--note", "not wanted")
    ran = it.run()
    assert ran.status == 1
    assert "canceled work packages (WP02)" in ran.text
    it.profile["finish"] = {"accept": False}
    ran = it.run()
    assert ran.status == 0, ran.text
    assert it.lanes() == {"WP01": "done", "WP02": "canceled"}
    assert it.tree() == it.written()
    assert "WP02.txt" not in it.tree()
    kept = it.git("for-each-ref", "--format=%(refname)", "refs/kitty-run/*/aside/**")
    assert bool(kept) == begun, "what was canceled is kept"


@pytest.mark.parametrize(PLACE, [SIMULATED_TOPOLOGIES["single_branch"], slow(NEXT_HOST, "single_branch")])
def test_what_one_handed_in_on_the_target_itself_is_reviewed_with_the_next_one(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission({"WP01": (), "WP02": ()}, topology))
    it.plan({}, {"WP01": ["reject"]})
    it.profile["concurrency"] = {"work_packages": 1}
    it.profile["retry"]["review"] = {"changes_requested": {"do": "block"}}
    it.profile["finish"] = {"accept": False}
    assert it.run().status == 1
    assert it.lanes() == {"WP01": "blocked", "WP02": "planned"}
    assert "WP01.txt" in it.tree()
    call(it, "transition", "--wp", "WP01", "--to", "canceled", "--actor", "me", "--note", "not wanted")
    ran = it.run()
    assert ran.status == 0, ran.text
    bases = {event["wp"]: event["base"] for event in it.events("workspace.allocated")}
    assert bases["WP02"] == bases["WP01"], "the reviewer of WP02 was shown the work of WP01 too"
    assert it.lanes() == {"WP01": "canceled", "WP02": "done"}
