"""A limited agent on a real host: the next one takes over what is there, in later sessions too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.assertions import assert_no_force, assert_tidy
from tests.e2e.bench import Bench, mission
from tests.e2e.conftest import MakeBench
from tests.e2e.interruptions.test_interruptions import kill, seen
from tests.e2e.places import PLACE, SIMULATED, later, slow
from tests.hosts import FEATURE_HOST

HOSTS = [SIMULATED, *later("coord")]
LIMIT = {"class": "rate_limited", "match": "reached your limit; try again in (?P<resets_at>.+)"}


def with_stand_in(it: Bench) -> Bench:
    """The bench's implementer knows its limit, and another family is in for it at once."""
    agents = it.profile["agents"]
    agents["alt"] = {**agents["imp"], "family": "other"}
    agents["imp"]["failures"] = [LIMIT]
    it.profile["roles"]["implement"]["agents"] = ["imp", "alt"]
    it.profile["retry"]["agent"]["rate_limited"] = {"do": "fallback"}
    it.profile["concurrency"] = {"work_packages": 1}
    return it


@pytest.mark.parametrize(PLACE, HOSTS)
def test_the_next_agent_continues_what_the_limited_one_left_and_a_later_session_knows_the_limit(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = with_stand_in(bench(version, mission({"WP01": (), "WP02": ("WP01",)}, topology)))
    it.plan({"WP01": ["limited", "slow", "ok"]})
    first = it.start()
    it.wait_for((it.room / "slow-WP01").exists, first)
    kill(first)
    ran = it.run()
    assert ran.status == 0, ran.text

    starts = [event for event in it.events("attempt.started") if event["role"] == "implement"]
    assert [(event["wp"], event["agent"]) for event in starts] == [
        *[("WP01", "imp"), ("WP01", "alt"), ("WP01", "alt"), ("WP02", "alt")],
    ]
    (limit,) = it.events("family.limited")
    until = datetime.fromisoformat(limit["until"])
    assert limit["family"] == "scripted"
    assert timedelta(minutes=50) < until - datetime.now(UTC) < timedelta(minutes=65)
    assert "family scripted is limited until" in ran.text

    note = Path(starts[1]["prompt"]).read_text(encoding="utf-8").partition("# What was here before you")[2]
    assert "Implement attempt 1 was made by imp, and ended as `rate_limited`" in note
    assert "It changed src/wp01/first.py, src/wp01/second.py." in note
    assert " the first half\n" in note
    assert "Not committed: src/wp01/second.py." in note
    log = Path(starts[0]["log"])
    assert f"The log of that attempt is {log};" in note
    assert "reached your limit" in log.with_suffix(".stderr.log").read_text(encoding="utf-8")
    cut_off = Path(starts[2]["prompt"]).read_text(encoding="utf-8")
    assert "Implement attempt 2 was made by alt, and the runner stopped before" in cut_off

    assert it.tree() == it.written()
    assert_no_force(it)
    assert_tidy(it)


@pytest.mark.parametrize(PLACE, [SIMULATED, slow(FEATURE_HOST)])
def test_an_interrupt_ends_a_run_that_waits_for_a_limited_family(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = with_stand_in(bench(version, mission({"WP01": ()}, topology)))
    it.plan({"WP01": ["limited", "ok"]})
    it.profile["retry"]["agent"]["rate_limited"] = {"do": "wait", "attempts": 3, "then": "fallback"}
    waiting = it.start()
    it.wait_for(seen(it, "family.awaited", family="scripted"), waiting)
    waiting.terminate()
    ended = it.end(waiting)
    assert ended.status == 130
    assert ended.result("WP01") == "stopped"
    it.profile["retry"]["agent"]["rate_limited"] = {"do": "fallback"}
    ran = it.run()
    assert ran.status == 0, ran.text
    assert [line["attempt"] for line in it.ledger() if line["role"] == "implement"] == [1, 2, 2]
