"""What is merged is what was reviewed, and git proves it: before the merge, after it, and of the push."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import BranchPutBack, Event, MergeStarted, MergeVerified, WpEnded
from kitty_run.errors import ExitStatus
from kitty_run.git.protocols import Unmerged
from kitty_run.profile.finish import Finish, Merge
from kitty_run.simulation.simulation import Simulation

from tests.engine.world import World


def committing_at(world: World, moment: type[Event]) -> None:
    """Let somebody else commit on the branch of WP01 at the first event of that kind."""
    left = [moment]

    def commit(_: Simulation, event: Event, __: Session) -> None:
        if left and isinstance(event, left[0]):
            left.clear()
            world.tree("WP01").files["foreign.txt"] = "x"
            world.tree("WP01").commit()

    world.on_event = commit


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_branch_that_moved_after_its_approval_is_put_back_before_the_merge(
    tmp_path: Path, dialect: str
) -> None:
    world = World(tmp_path, {"WP01": []}, dialect=dialect)
    committing_at(world, WpEnded)
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    (put_back,) = world.events(BranchPutBack)
    assert put_back.commit == world.tree("WP01").head
    assert "foreign.txt" not in world.tree("WP01").files
    assert world.events(MergeStarted)[0].heads == {"WP01": put_back.commit}


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_commit_that_comes_in_while_the_host_merges_is_reported(tmp_path: Path, dialect: str) -> None:
    world = World(tmp_path, {"WP01": []}, dialect=dialect)
    committing_at(world, MergeStarted)
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "commits that nobody reviewed" in report.reason
    assert world.tree("WP01").head[:10] in report.reason
    assert world.events(MergeVerified) == []
    assert world.run().exit_status is ExitStatus.OK  # whoever runs again has read it


def test_a_merge_that_git_does_not_show_is_not_verified(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.unmerged = (Unmerged("WP01", "its work is not there:", ("WP01.txt",)),)
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "does not have all the work" in report.reason
    assert "WP01.txt" in report.reason
    assert world.events(MergeVerified) == []
    assert not report.merged


def test_a_push_that_the_remote_refuses_is_reported_and_repeated(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})
    world.change(finish=replace(Finish(), merge=Merge(push=True)))
    world.repository.remote_has_target, world.repository.remote_refuses = False, "protected branch"
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "not pushed to origin: protected branch" in report.reason
    assert world.merged
    world.repository.remote_refuses = None
    assert world.run().exit_status is ExitStatus.OK
    assert world.repository.remote_has_target
    assert world.operations().count("merge") == 1


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_commit_that_comes_in_while_others_are_put_back_is_put_back_too(
    tmp_path: Path, dialect: str
) -> None:
    """The branch of WP01 was looked at already when that of WP02 is put back."""
    world = World(tmp_path, {"WP01": [], "WP02": []}, dialect=dialect)

    def commit(_: Simulation, event: Event, __: Session) -> None:
        late = {WpEnded: "WP02", BranchPutBack: "WP01"}.get(type(event))
        if late is not None and event.wp == "WP02":
            world.tree(late).files["foreign.txt"] = "x"
            world.tree(late).commit()

    world.on_event = commit
    assert world.run().exit_status is ExitStatus.OK
    assert [event.wp for event in world.events(BranchPutBack)] == ["WP02", "WP01"]
    assert "foreign.txt" not in world.tree("WP01").files


def test_branches_that_never_rest_are_not_merged(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": []})

    def commit(_: Simulation, event: Event, __: Session) -> None:
        if isinstance(event, WpEnded | BranchPutBack):
            world.tree("WP01").files["foreign.txt"] = "x"
            world.tree("WP01").commit()

    world.on_event = commit
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "keep moving" in report.reason
    assert "merge" not in world.operations()
