"""A runner that is killed or interrupted on a real host: the same command continues, nobody works twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.assertions import assert_no_force, assert_tidy
from tests.e2e.bench import Bench, mission
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, SIMULATED_LANES, later, real, slow
from tests.hosts import FEATURE_HOST, MISSION_HOST

HOSTS = [
    SIMULATED,
    SIMULATED_LANES,
    slow(FEATURE_HOST),
    real(MISSION_HOST, "coord"),
    slow(MISSION_HOST, "lanes"),
]
SLOW = [SIMULATED, *later("coord")]
FEATURE = [SIMULATED, slow(FEATURE_HOST)]
PAIR = {"WP01": (), "WP02": ("WP01",)}


def seen(it: Bench, type_: str, **data: object) -> Callable[[], bool]:
    """Whether the journal has such an event."""
    return lambda: any(data.items() <= event.items() for event in it.events(type_))


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def assert_nobody_worked_twice_at_once(it: Bench) -> None:
    """No agent started on a work package while another one that worked on it was still alive."""
    ended = {line["pid"] for line in it.ledger() if line["what"] == "end"}
    starts = [line for line in it.ledger() if line["what"] == "start"]
    assert len({line["pid"] for line in starts}) == len(starts)
    events = it.events("attempt.process", "process.ended")
    open_: set[str] = set()
    for event in events:
        wp = str(event["marker"]).split("/")[1]
        if event["type"] == "attempt.process":
            assert wp not in open_
            open_.add(wp)
        else:
            open_.discard(wp)
    assert ended


@pytest.mark.parametrize(PLACE, HOSTS)
def test_a_runner_killed_while_agents_work_is_gone_on_with(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(PAIR, topology))
    it.plan({"WP01": ["slow", "ok"]}, {"WP01": ["slow", "approve"], "WP02": ["reject", "approve"]})
    first = it.start()
    it.wait_for((it.room / "slow-WP01").exists, first)
    kill(first)
    second = it.start()
    it.wait_for((it.room / "reviewing-WP01").exists, second)
    assert [line for line in it.processes() if "implement.py" in line] == [], "the killed run's agent"
    kill(second)
    last = it.run()
    assert last.status == 0, last.text
    assert it.lanes() == dict.fromkeys(PAIR, "done")
    assert last.report["accepted"]
    assert it.tree() == it.written()
    assert it.tree()["WP02.txt"] == b"WP02 in cycle 2\n"
    second_one = [event for event in it.events("attempt.started") if event["wp"] == "WP02"]
    assert [(event["role"], event["attempt"]) for event in second_one] == [
        *[("implement", 1), ("review", 1), ("implement", 2), ("review", 2)],
    ]
    assert_nobody_worked_twice_at_once(it)
    assert_no_force(it)
    assert_tidy(it)


MOMENTS = [
    ("call.started", {"operation": "claim", "wp": "WP01"}),
    ("call.started", {"operation": "hand_in", "wp": "WP01"}),
    ("call.started", {"operation": "approve", "wp": "WP01"}),
    ("call.started", {"operation": "accept"}),
    ("call.started", {"operation": "merge"}),
    ("merge.verified", {}),
]


@pytest.mark.parametrize(PLACE, SLOW)
def test_a_runner_killed_amid_any_host_call_is_gone_on_with(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(PAIR, topology))
    for type_, data in MOMENTS:
        process = it.start()
        it.wait_for(seen(it, type_, **data), process)
        kill(process)
    last = it.run()
    assert last.status == 0, last.text
    assert it.lanes() == dict.fromkeys(PAIR, "done")
    assert it.tree() == it.written()
    assert len(it.events("attempt.started")) <= 4 + 2, "attempts that had ended were paid again"
    assert_nobody_worked_twice_at_once(it)
    assert_no_force(it)
    assert_tidy(it)


@pytest.mark.parametrize(PLACE, FEATURE)
def test_one_interrupt_lets_the_agent_finish_and_two_end_it(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(PAIR, topology))
    it.plan({"WP01": ["slow"], "WP02": ["slow"]})
    process = it.start()
    it.wait_for((it.room / "slow-WP01").exists, process)
    process.send_signal(signal.SIGINT)
    (it.room / "go").touch()
    once = it.end(process)
    assert once.status == 130, once.text
    assert "run the same command again" in once.text
    assert it.lanes() == {"WP01": "for_review", "WP02": "planned"}
    (it.room / "go").unlink()
    process = it.start()
    it.wait_for((it.room / "slow-WP02").exists, process)
    process.send_signal(signal.SIGINT)
    it.wait_for(lambda: len(it.events("attempt.process")) == 3, process)
    process.send_signal(signal.SIGINT)
    twice = it.end(process)
    assert twice.status == 130, twice.text
    assert it.processes() == []
    assert it.lanes() == {"WP01": "done", "WP02": "in_progress"}
    it.plan()
    last = it.run()
    assert last.status == 0, last.text
    assert it.tree() == it.written()


@pytest.mark.parametrize(PLACE, FEATURE)
def test_a_second_runner_names_who_holds_the_repository(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(PAIR, topology))
    it.plan({"WP01": ["slow"]})
    process = it.start()
    it.wait_for((it.room / "slow-WP01").exists, process)
    other = it.run()
    assert other.status == 1
    assert f"process {process.pid} on" in other.text
    assert it.project.mission in other.text
    (it.room / "go").touch()
    assert it.end(process).status == 0
