"""A verdict counts for the commit that was reviewed, and for nothing that came after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import AttemptStarted, Event, ReviewOutdated, VerdictGiven
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.simulation.simulation import Simulation

from tests.engine.world import World


def committing_after_verdicts(world: World, times: int) -> None:
    """Let somebody else commit on the branch of WP01 right after each of its first `times` verdicts."""
    left = list(range(times))

    def commit(_: Simulation, event: Event, __: Session) -> None:
        if left and isinstance(event, VerdictGiven):
            world.tree("WP01").files[f"foreign-{left.pop()}.txt"] = "x"
            world.tree("WP01").commit()

    world.on_event = commit


def reviewed(world: World) -> list[str | None]:
    return [event.head for event in world.events(AttemptStarted) if event.role == "review"]


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_commit_between_verdict_and_approval_is_reviewed_before_anything_is_approved(
    tmp_path: Path, dialect: str
) -> None:
    world = World(tmp_path, {"WP01": []}, dialect=dialect)
    committing_after_verdicts(world, 1)
    assert world.run().exit_status is ExitStatus.OK
    (outdated,) = world.events(ReviewOutdated)
    first, second = reviewed(world)
    assert (outdated.reviewed, outdated.commit) == (first, second)
    assert second == world.tree("WP01").head
    assert world.operations().count("approve") == 1


def test_a_branch_that_moves_after_every_review_is_not_approved(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    committing_after_verdicts(world, 99)
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "its branch moved after each of 4 reviews" in report.work_packages["WP01"].reason
    assert world.lanes() == {"WP01": Lane.BLOCKED}
    assert "approve" not in world.operations()
