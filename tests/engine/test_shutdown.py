"""Ends of work packages are decided by their code; what their reason says decides nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.engine.state.events import WpEnded
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Allocation, HostRefused, Lane
from kitty_run.profile.model import Action, RetryRow
from kitty_run.report.next_steps import for_work_package

from tests.engine import profiles
from tests.engine.world import Did, Job, World, good

ROOT = Path(__file__).parents[2]


def skipping(root: Path, message: str, data: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> World:
    """A mission whose host refuses every claim in these words, with a table that skips what is refused."""
    made = profiles.profile()
    host = {**made.retry.host, "default": RetryRow(Action.SKIP)}
    world = World(root, {"WP01": []}, profile=replace(made, retry=replace(made.retry, host=host)))

    async def refused(wp: str, policy: object) -> Allocation:
        raise HostRefused("ODD", "start-implementation", message, data)

    monkeypatch.setattr(world.host, "claim", refused)
    return world


def test_a_host_that_says_that_it_is_canceled_does_not_finish_the_mission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = skipping(tmp_path, "canceled on the host", {}, monkeypatch)
    report = world.run()
    assert report.work_packages["WP01"].code is EndCode.SKIPPED
    assert report.work_packages["WP01"].reason == "canceled on the host"
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "accept" not in world.operations()


@pytest.mark.parametrize(
    ("data", "code", "advised"), [({"claimed_by": "bo"}, EndCode.HELD, True), ({}, EndCode.SKIPPED, False)]
)
def test_who_holds_it_is_the_hosts_data_and_not_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: dict[str, object], code: EndCode, advised: bool
) -> None:
    report = skipping(tmp_path, "held by a bad lock", data, monkeypatch).run()
    one = report.work_packages["WP01"]
    assert one.code is code
    assert bool(for_work_package(one)) is advised


def test_a_work_package_that_is_canceled_under_way_ends_as_one_that_was_before(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        if job.wp == "WP01" and job.role == "implement":
            world.host.move("WP01", Lane.CANCELED)
        return good(job)

    made = profiles.profile()
    host = {**made.retry.host, "TRANSITION_REJECTED": RetryRow(Action.REFRESH)}
    made = replace(made, retry=replace(made.retry, host=host))
    world = World(tmp_path, {"WP01": [], "WP02": []}, profile=made, script=script)
    world.run()
    [ended] = [event for event in world.events(WpEnded) if event.wp == "WP01"]
    assert (ended.result, ended.code) == ("skipped", "canceled")


def test_the_journal_has_the_code_and_its_result(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": [], "WP02": ["WP01"]}, script=lambda job: job.fail())
    world.run()
    [ended] = world.events(WpEnded)
    assert EndCode(ended.code) is EndCode.ATTEMPT_FAILED
    assert Result(ended.result) is EndCode.ATTEMPT_FAILED.result


def test_the_schema_has_the_same_codes() -> None:
    schema = json.loads((ROOT / "schemas" / "event.schema.json").read_text())
    assert schema["$defs"]["endCode"]["enum"] == [code.value for code in EndCode]
    assert {code.result for code in EndCode} == set(Result)
