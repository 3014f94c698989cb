"""Who holds an agent's policy is in the journal from its start on, and in status and report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from kitty_run.engine.state.events import AttemptStarted
from kitty_run.report.html import page
from kitty_run.report.liveness import Life
from kitty_run.report.status import follow
from kitty_run.report.status_text import as_json, as_text

from tests.engine import profiles
from tests.report.played import Played

TRUST = {
    "ada": {"sandbox_mode": "confined", "network_mode": "cli", "approval_mode": "cli"},
    "bob": dict.fromkeys(("sandbox_mode", "network_mode", "approval_mode"), "declared"),
}


def test_the_degree_of_each_agent_is_told_from_its_first_attempt_on(tmp_path: Path) -> None:
    world = Played(tmp_path, {"WP01": []}, profile=replace(profiles.profile(), trust=TRUST))
    world.run()
    entries = world.entries()
    started = [entry.event for entry in entries if isinstance(entry.event, AttemptStarted)]
    assert {one.agent: one.trust for one in started} == TRUST
    run, now = follow("run-1", entries), entries[-1].at + timedelta(seconds=1)
    held = "ada: sandbox_mode confined, network_mode cli, approval_mode cli; bob: declared"
    assert f"\ntrust     {held}\n" in as_text(run, Life.ENDED, tmp_path, now)
    assert as_json(run, Life.ENDED, tmp_path, None)["trust"] == TRUST
    assert "<td>bob</td><td>declared</td>" in page("run-1", entries, Life.ENDED, now)


def test_journals_without_degrees_show_none(tmp_path: Path) -> None:
    world = Played(tmp_path, {"WP01": []})
    world.run()
    entries = world.entries()
    assert "trust" not in as_text(follow("run-1", entries), Life.ENDED, tmp_path, entries[-1].at)
