"""Work packages that a real host puts into one workspace follow each other, each reviewed by its own diff."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from kitty_run.demo.spec import MissionSpec, Topology, WorkPackageSpec

from tests.e2e.assertions import assert_no_force
from tests.e2e.bench import Bench
from tests.e2e.conftest import MakeBench
from tests.hosts import MISSION_HOST

pytestmark = pytest.mark.real_host


SHARED = ("WP01", "WP02", "WP03")


def overlapping(topology: Topology) -> MissionSpec:
    """WP03 owns what WP01 and WP02 do, so that all are in one lane; WP04 and WP05 are planning artifacts."""
    owned = {f"WP0{number}": (f"WP0{number}.txt", f"src/wp0{number}/**") for number in range(1, 6)}
    owned["WP03"] = (*owned["WP03"], *owned["WP01"], *owned["WP02"])
    packages = tuple(
        WorkPackageSpec(
            id=wp,
            title=f"Part {wp}",
            body=f"Write {wp}.txt.",
            dependencies=("WP01", "WP02") if wp == "WP03" else (),
            owned_files=files,
            kind="planning_artifact" if wp in {"WP04", "WP05"} else "code_change",
        )
        for wp, files in owned.items()
    )
    return MissionSpec("shared", packages, topology, files={"base.txt": "here from the start\n"})


def shown(it: Bench, wp: str) -> str:
    """The diff in the last reviewer's prompt for `wp`."""
    found = [path for path in it.root.glob(".kitty-run/runs/*/**/*") if wp in path.as_posix()]
    prompts = sorted(
        path for path in found if path.is_file() and "prompt" in path.as_posix() and "review" in path.name
    )
    return prompts[-1].read_text(encoding="utf-8").partition("diff --git")[2]


def assert_one_at_a_time(it: Bench, wps: tuple[str, ...]) -> None:
    """Each one of a workspace starts on the approved head of the one before it."""
    started = [event["wp"] for event in it.events("workspace.allocated") if event["wp"] in wps]
    bases = {event["wp"]: event["base"] for event in it.events("workspace.allocated")}
    ready = {event["wp"]: event["commit"] for event in it.events("work.ready")}
    for before, after in pairwise(started):
        assert bases[after] == ready[before]
    moments = [(entry["wp"], entry["what"]) for entry in it.ledger() if entry["wp"] in wps]
    order = list(dict.fromkeys(wp for wp, _ in moments))
    assert [wp for wp, _ in moments] == sorted((wp for wp, _ in moments), key=order.index)


@pytest.mark.parametrize(
    "topology",
    ["lanes", *(pytest.param(name, marks=pytest.mark.slow) for name in ("coord", "single_branch"))],
)
def test_they_follow_each_other_and_keep_each_others_work(bench: MakeBench, topology: Topology) -> None:
    it = bench(MISSION_HOST, overlapping(topology))
    it.profile["concurrency"] = {"work_packages": 5}
    it.plan(review={"WP01": ["reject", "approve"]})
    planned = it.planned()
    assert "one at a time with WP02, WP03 (same workspace)" in planned, planned
    assert "one at a time with WP05 (same workspace)" in planned, planned
    ran = it.run()
    assert all(one["result"] == "done" for one in ran.report["work_packages"].values()), ran.text
    assert_one_at_a_time(it, SHARED)
    assert_one_at_a_time(it, ("WP04", "WP05"))
    awaited = {(event["wp"], event["holder"]) for event in it.events("workspace.awaited")}
    assert {("WP02", "WP01"), ("WP05", "WP04")} <= awaited
    assert "WP02.txt" in shown(it, "WP02")
    assert "WP01.txt" not in shown(it, "WP02")
    assert "WP04.txt" not in shown(it, "WP05")
    if ran.status:  # 3.2.7 has planning artifacts committed on `main`, and merges them from its target
        assert "does not have all the work:\n  WP04" in ran.report["reason"], ran.text
        command = re.findall(r"checked out: (git -C \S+ merge [0-9a-f ]+);", ran.report["reason"])[0]
        it.git(*command.split()[1:])
        ran = it.run()
    assert ran.status == 0, ran.text
    assert it.tree() == it.written()
    assert_no_force(it)


@pytest.mark.slow  # `make test` proves it under virtual time: engine/scheduling/test_workspace_leases.py
def test_a_blocked_one_keeps_the_workspace_and_the_others_wait(bench: MakeBench) -> None:
    it = bench(MISSION_HOST, overlapping("lanes"))
    it.profile["concurrency"] = {"work_packages": 5}
    it.profile["finish"] = {"merge": None}
    it.plan({"WP01": ["fails"]})
    ran = it.run()
    assert ran.status == 1, ran.text
    lanes = it.lanes()
    assert [lanes[wp] for wp in SHARED] == ["blocked", "planned", "planned"]
    assert ran.result("WP02") == "waiting"
    assert ran.reason("WP02") == "WP02 waits for WP01, which works in the same workspace (blocked)"
    assert "WP01 (blocked), which works in the same workspace" in it.planned()
    assert {entry["wp"] for entry in it.ledger()} & set(SHARED) == {"WP01"}
