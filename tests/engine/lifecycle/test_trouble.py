"""What an attempt did to its workspace besides work decides whether it failed, and of what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.events import Notice, RetryDecided
from kitty_run.git.protocols import Trouble
from kitty_run.profile.model import Action, RetryRow

from tests.engine import profiles
from tests.engine.world import Did, Job, World


def doing(kind: str) -> Trouble:
    return Trouble(kind, f"what it did: {kind}")  # type: ignore[arg-type]


def world(tmp_path: Path, kind: str) -> World:
    def script(job: Job) -> Did:
        if job.role != "implement":
            return job.verdict()
        if job.attempt == 1:
            job.tree.trouble = (doing(kind),)
        return job.work()

    return World(tmp_path, {"WP01": []}, script=script)


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("lost", "workspace_lost"),
        ("rewritten", "forbidden_change"),
        ("deleted", "forbidden_change"),
        ("large", "forbidden_change"),
    ],
)
def test_the_attempt_fails_of_it_and_the_table_decides(tmp_path: Path, kind: str, failure: str) -> None:
    it = world(tmp_path, kind)
    it.run()
    (decided,) = [event for event in it.events(RetryDecided) if event.key == failure]
    assert f"what it did: {kind}" in decided.reason
    assert f"what it did: {kind}" in it.jobs[1].prompt
    assert it.lanes()["WP01"].value in {"approved", "done"}


def test_a_row_of_its_own(tmp_path: Path) -> None:
    it = world(tmp_path, "lost")
    retry = profiles.tables()
    it.change(retry=replace(retry, agent={**retry.agent, "workspace_lost": RetryRow(Action.BLOCK)}))
    it.run()
    assert it.lanes()["WP01"].value == "blocked"


def test_work_that_was_joined_again_is_handed_in_and_reported(tmp_path: Path) -> None:
    it = world(tmp_path, "rejoined")
    it.run()
    assert it.events(RetryDecided) == []
    assert [event.text for event in it.events(Notice)] == ["what it did: rejoined"]
    assert it.lanes()["WP01"].value in {"approved", "done"}
