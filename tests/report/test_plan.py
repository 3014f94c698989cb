"""Plans: what a run would do now, seen on the simulated host, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.journal import Journal
from kitty_run.engine.state.run_directory import new_run
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import SimHost
from kitty_run.planner.mission_plan import make
from kitty_run.planner.plan import Plan
from kitty_run.profile.finish import Finish, Merge
from kitty_run.profile.limits import Allowance, Limits
from kitty_run.profile.load import load
from kitty_run.profile.model import Check, Concurrency, Extra, Profile
from kitty_run.report.plan import as_json, as_text
from pytest_snapshot.plugin import Snapshot

from tests.engine import profiles
from tests.engine.state.example_events import ATTEMPT, ENDED, RUN
from tests.planner.looking import DIAMOND, planned

SNAPSHOTS = Path(__file__).parent / "snapshots" / "plan"


def rich() -> Profile:
    """A profile with a bit of everything."""
    profile = profiles.silent(profiles.profile(implement=("ada", "eve"), review=("bob", "ada")))
    ada = replace(
        profile.agents["ada"],
        command=("ada", "--headless"),
        enforce={
            "sandbox_mode": {"workspace_write": Extra(args=("--write", "{{ workspace }}"))},
            "network_mode": {"none": Extra(env={"ADA_OFFLINE": "1"}, files={"rules_toml": "net = false"})},
            "approval_mode": {"full_auto": Extra()},
        },
        args=("--task", "{{ wp.id }} {{ wp.title }}", "--config", "{{ files.rules_toml }}"),
        resume=("--session", "{{ session }}", "--config", "{{ files.rules_toml }}"),
    )
    eve = replace(profile.agents["eve"], prompt="argument", idle_timeout=None)
    implement = replace(profile.roles["implement"], checks=(Check("tests", ("pytest", "-q", "my tests")),))
    return replace(
        profile,
        description="Ada implements, Bob reviews.",
        agents={**profile.agents, "ada": ada, "eve": eve},
        roles={"implement": implement, "review": replace(profile.roles["review"], independent=True)},
        concurrency=Concurrency(3, {"review": 2}, {"ada": 1}),
        gates=("done", "merge"),
        limits=Limits(20.0, 5_000_000, 6 * 3600.0, 100, Allowance(2.5, attempts=12)),
        policy=replace(profile.policy, dangerous_flags=("--trust-me",)),
    )


def fresh() -> Plan:
    return planned(SimHost.of(DIAMOND, shape="coord"))


def everything() -> Plan:
    return planned(SimHost.of(DIAMOND, dialect="feature"), rich())


def under_way() -> Plan:
    host = SimHost.of(DIAMOND)
    for wp, lane in {"WP01": Lane.DONE, "WP02": Lane.IN_REVIEW, "WP03": Lane.IN_PROGRESS}.items():
        host.move(wp, lane)
    return planned(host)


def in_the_way() -> Plan:
    host = SimHost.of({**DIAMOND, "WP06": ["WP99"], "WP07": []})
    host.move("WP02", Lane.BLOCKED)
    host.move("WP07", Lane.CANCELED)
    profile = profiles.profile()
    return planned(host, replace(profile, finish=Finish(merge=Merge("main", "squash", push=True))))


def a_circle() -> Plan:
    return planned(SimHost.of({"WP01": [], "WP02": ["WP03"], "WP03": ["WP02"]}))


def no_finish() -> Plan:
    return planned(SimHost.of({"WP01": []}), replace(profiles.profile(), finish=Finish(False, None)))


def no_mission() -> Plan:
    return make(rich(), None)


PLANS: dict[str, Callable[[], Plan]] = {
    plan.__name__: plan
    for plan in (fresh, everything, under_way, in_the_way, a_circle, no_finish, no_mission)
}


@pytest.mark.parametrize("name", list(PLANS))
def test_the_plan_of(name: str, snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = SNAPSHOTS
    plan = PLANS[name]()
    snapshot.assert_match(as_text(plan), f"{name}.txt")


@pytest.mark.parametrize("name", list(PLANS))
def test_the_json_says_what_the_text_says(name: str) -> None:
    plan = PLANS[name]()
    printed = json.loads(json.dumps(as_json(plan)))
    assert printed["roles"]["implement"]["agents"][0]["name"] == "ada"
    assert (printed["mission"] is None) == (name == "no_mission")
    if plan.mission:
        assert [one["id"] for one in printed["mission"]["work_packages"]] == [
            one.id for one in plan.mission.work_packages
        ]
        assert printed["mission"]["problems"] == list(plan.mission.problems)


def test_an_unfinished_run_is_named_as_the_one_to_continue(tmp_path: Path) -> None:
    place = new_run(tmp_path)
    journal = Journal(place.journal)
    journal.open()
    journal.write(RUN)
    journal.write(replace(ATTEMPT, attempt=2))
    journal.close()
    plan = planned(SimHost.of(DIAMOND), repo=tmp_path)
    assert f"with run {place.id}, 2 attempts so far" in as_text(plan)


def test_a_run_at_its_limit_would_pause_at_once(tmp_path: Path) -> None:
    journal = Journal(new_run(tmp_path).journal)
    journal.open()
    journal.write(RUN)
    for wp, cost in (("WP01", 1.5), ("WP02", None)):
        journal.write(replace(ATTEMPT, wp=wp))
        journal.write(replace(ENDED, cost_usd=cost, wp=wp))
    journal.close()
    limits = Limits(cost_usd=1.0, work_package=Allowance(attempts=1))
    plan = planned(SimHost.of(DIAMOND), replace(profiles.silent(profiles.profile()), limits=limits), tmp_path)
    text = as_text(plan)
    assert "2 attempts so far, cost at least 1.50 USD, 1 attempt unknown" in text
    assert "the run is at limits.cost_usd: 1.50 of 1.00 USD used; raise it to continue" in text
    assert "WP02 is at limits.work_package.attempts: 1 of 1 attempts used; raise it to continue" in text
    printed = as_json(plan)
    assert printed["mission"]["known_cost_usd"] == 1.5  # type: ignore[index]
    assert printed["unseen"] == [{"limit": "limits.cost_usd", "agents": ["ada", "bob"]}]


SAMPLES = sorted((Path(__file__).parents[2] / "sample-configs").glob("*.yaml"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_sample_profile_can_be_planned(path: Path) -> None:
    profile = load(path).profile
    text = as_text(planned(SimHost.of(DIAMOND), profile))
    assert all(agent in text for role in profile.roles.values() for agent in role.agents)


def test_a_long_name_stays_apart_from_what_follows() -> None:
    text = as_text(make(profiles.profile(implement=("implementer-of-all",)), None))
    assert "  implementer-of-all  implementer-of-all < <prompt>" in text


def test_who_shares_a_workspace_is_said() -> None:
    host = SimHost.of({"WP01": [], "WP02": [], "WP03": []}, rooms={"WP01": "lane-a", "WP02": "lane-a"})
    assert "one at a time with WP01 (same workspace)" in as_text(planned(host))
