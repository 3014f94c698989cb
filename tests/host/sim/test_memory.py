"""The host in memory: the protocol of a real one, with faults to order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from kitty_run.host.model import HostRefused, Lane, Review
from kitty_run.host.protocol import Host
from kitty_run.host.sim.memory import Fault, SimHost

from tests.host.sim.test_rules import POLICY

APPROVED = Review("codex", "approved", "review/WP01/1")
REJECTED = Review("codex", "changes_requested", "review/WP01/1")


def run(call: Awaitable[object]) -> object:
    async def go() -> object:
        return await call

    return asyncio.run(go())


def code(call: Awaitable[object]) -> str:
    with pytest.raises(HostRefused) as caught:
        run(call)
    return caught.value.code


async def to_done(host: Host, wp: str) -> None:
    await host.claim(wp, POLICY)
    await host.hand_in(wp, POLICY)
    await host.claim_review(wp, POLICY)
    await host.approve(wp, APPROVED, POLICY)


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_mission_goes_from_planned_to_merged(dialect: str) -> None:
    host = SimHost.of({"WP01": [], "WP02": ["WP01"]}, dialect=dialect)

    async def go() -> None:
        assert await host.ready() == {"WP01"}
        await to_done(host, "WP01")
        assert await host.ready() == {"WP02"}
        await to_done(host, "WP02")
        await host.accept()
        await host.merge("main", "merge", push=False)

    asyncio.run(go())
    assert host.held.accepted
    assert host.held.merged


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_rejected_work_package_stays_with_its_implementer(dialect: str) -> None:
    host = SimHost.of({"WP01": []}, dialect=dialect)

    async def go() -> None:
        await host.claim("WP01", POLICY)
        await host.hand_in("WP01", POLICY)
        await host.claim_review("WP01", POLICY)
        await host.reject("WP01", REJECTED, POLICY)
        await host.claim("WP01", POLICY)

    asyncio.run(go())
    assert host.lane("WP01") is Lane.IN_PROGRESS


@pytest.mark.parametrize(("after", "lane"), [(False, Lane.PLANNED), (True, Lane.IN_PROGRESS)])
def test_a_lost_call_took_effect_or_not(after: bool, lane: Lane) -> None:
    host = SimHost.of({"WP01": []}, faults=[Fault("claim", "HOST_TIMEOUT", after=after)])
    assert code(host.claim("WP01", POLICY)) == "HOST_TIMEOUT"
    assert host.lane("WP01") is lane
    run(host.claim("WP01", POLICY))
    assert host.lane("WP01") is Lane.IN_PROGRESS


def test_a_fault_strikes_its_work_package_so_many_times() -> None:
    fault = Fault("claim", "LANE_ALLOCATION_FAILED", wp="WP02", times=2)
    host = SimHost.of({"WP01": [], "WP02": []}, faults=[fault])
    run(host.claim("WP01", POLICY))
    assert [code(host.claim("WP02", POLICY)) for _ in range(2)] == ["LANE_ALLOCATION_FAILED"] * 2
    run(host.claim("WP02", POLICY))


def test_what_somebody_else_holds_is_refused() -> None:
    host = SimHost.of({"WP01": []})
    host.move("WP01", Lane.IN_PROGRESS, actor="somebody-else")
    assert code(host.claim("WP01", POLICY)) == "WP_ALREADY_CLAIMED"


def test_a_branch_without_a_commit_is_not_taken_in() -> None:
    host = SimHost.of({"WP01": []})
    host.uncommitted.add("WP01")
    run(host.claim("WP01", POLICY))
    assert code(host.hand_in("WP01", POLICY)) == "TRANSITION_REJECTED"


@pytest.mark.parametrize(
    ("shape", "name", "commit_status"), [(None, "flat", True), ("coord", "coord", False)]
)
def test_a_topology_can_be_chosen(shape: str | None, name: str, commit_status: bool) -> None:
    topology = SimHost.of({}, shape=shape).topology
    assert (topology.name, topology.commit_status) == (name, commit_status)


def test_every_call_is_kept_with_its_command_line_and_none_has_force() -> None:
    host = SimHost.of({"WP01": []})
    run(host.claim("WP01", POLICY))
    code(host.claim("WP09", POLICY))
    assert [(call.operation, call.wp, call.code) for call in host.calls] == [
        ("claim", "WP01", None),
        ("claim", "WP09", "WP_NOT_FOUND"),
    ]
    assert not any("--force" in call.argv for call in host.calls)
