"""A mission whose workspaces are set up is killed after each line of its journal."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.events import AttemptStarted, SetupEnded, SetupStarted, WorkspacePrepared
from kitty_run.errors import ExitStatus
from kitty_run.profile.model import Check, Profile
from kitty_run.profile.workspace import SetupStep, WorkspaceConfig
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import Did, Job, World, good

TWO = {"WP01": [], "WP02": []}


def prepared() -> Profile:
    made = profiles.profile()
    implement = replace(made.roles["implement"], checks=(Check("tests", ("make",)),))
    config = WorkspaceConfig(setup=(SetupStep("install", ("npm", "ci")), SetupStep("build", ("npm", "run"))))
    return replace(made, roles={**made.roles, "implement": implement}, workspace=config)


def script(job: Job) -> Did:
    return Did(seconds=5.0) if job.agent in {"npm", "make"} else good(job)


def world(root: Path) -> World:
    return World(root, TWO, script=script, profile=prepared())


def started_too_early(run: World) -> list[AttemptStarted]:
    """Attempts that began in a workspace that was not prepared."""
    ready, early = set(), []
    for entry in run.entries():
        match entry.event:
            case SetupStarted(wp=wp):
                ready.discard(wp)
            case WorkspacePrepared(wp=wp, passed=True):
                ready.add(wp)
            case AttemptStarted(wp=wp) as event if wp not in ready:
                early.append(event)
    return early


@pytest.mark.whole
@pytest.mark.no_cover
def test_no_agent_starts_before_its_workspace_is_prepared_and_nothing_is_prepared_for_nothing(
    tmp_path: Path,
) -> None:
    whole = world(tmp_path / "whole")
    assert whole.run().exit_status is ExitStatus.OK
    assert Counter(event.name for event in whole.events(SetupEnded)) == {"install": 2, "build": 2}
    for line in range(1, len(whole.entries())):
        run = world(tmp_path / str(line))
        run_and_kill(run, lambda _, count, at=line: count == at)  # type: ignore[misc]
        assert run.run().exit_status is ExitStatus.OK, line
        assert started_too_early(run) == [], line
        runs = Counter((event.wp, event.name) for event in run.events(SetupStarted))
        assert sum(runs.values()) <= 4 + 2 * 2, (line, runs)  # what was cut off, and what came before it
        assert max(runs.values()) <= 2, (line, runs)
