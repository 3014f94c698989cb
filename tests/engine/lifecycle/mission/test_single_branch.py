"""Missions whose host would have the work done in the root checkout: done apart, one after the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.decisions.root_obstacles import CODES
from kitty_run.engine.state.events import CallStarted, MergeVerified, WorkDelivered, WorkspaceAllocated
from kitty_run.errors import ExitStatus
from kitty_run.git.root_state import BroughtIn
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.model import Action, RetryRow
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import Did, Job, World, good

PAIR = {"WP01": [], "WP02": []}


def single(root: Path, *faults: Fault, **options: object) -> World:
    quick = profiles.profile()
    rows = {**quick.retry.host, **{name: profiles.shipped().retry.host[name] for name in CODES}}
    made = {"profile": replace(quick, retry=replace(quick.retry, host=rows)), **options}
    return World(root, PAIR, dialect="mission-4", shape="single_branch", faults=faults, **made)  # type: ignore[arg-type]


def rejecting(job: Job) -> Did:
    """The first review of WP01 wants changes."""
    if job.role == "review" and (job.wp, job.attempt) == ("WP01", 1):
        return job.verdict("changes_requested", ["one thing"])
    return good(job)


def test_work_is_done_apart_one_at_a_time_and_is_on_the_target_before_each_hand_in(tmp_path: Path) -> None:
    world = single(tmp_path, script=rejecting)
    assert world.run().exit_status is ExitStatus.OK
    assert world.peak == 1
    places = {event.path.name for event in world.events(WorkspaceAllocated)}
    assert places == {"demo-work"}
    told = [entry.event for entry in world.entries()]
    steps = [
        (event.wp, "delivered" if isinstance(event, WorkDelivered) else event.operation)
        for event in told
        if isinstance(event, WorkDelivered)
        or (isinstance(event, CallStarted) and event.operation in {"hand_in", "claim"})
    ]
    assert steps == [
        *(("WP01", name) for name in ("claim", "delivered", "hand_in", "delivered", "hand_in")),
        *(("WP02", name) for name in ("claim", "delivered", "hand_in")),
    ]
    assert [event.work for event in world.events(WorkDelivered)] == world.repository.delivered
    assert world.repository.cleaned_up


def test_what_a_person_has_in_the_way_at_the_root_is_waited_for_and_then_pauses(tmp_path: Path) -> None:
    world = single(tmp_path)
    world.repository.keeps_out = BroughtIn(in_the_way="WP01.txt would be overwritten.")
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert "WP01.txt would be overwritten" in report.work_packages["WP01"].reason
    assert "stash push" in report.work_packages["WP01"].reason
    assert "hand_in" not in world.operations()
    assert Lane.BLOCKED not in world.lanes().values()
    world.repository.keeps_out = None
    assert world.run().exit_status is ExitStatus.OK
    assert len(world.jobs) == 4, "nothing was paid twice"


def test_a_conflict_with_the_target_pauses_at_once_and_says_how_to_resolve_it(tmp_path: Path) -> None:
    world = single(tmp_path)
    world.repository.keeps_out = BroughtIn(conflicts=("WP01.txt",))
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    reason = report.work_packages["WP01"].reason
    assert "conflicts with main, in WP01.txt" in reason
    assert ".worktrees/demo-work merge main" in reason
    assert Lane.BLOCKED not in world.lanes().values()


@pytest.mark.parametrize("code", ["HOST_TIMEOUT", "HOST_UNREADABLE"])
@pytest.mark.parametrize("after", [False, True])
def test_that_all_work_is_on_the_target_already_is_no_proof_of_the_merge(
    tmp_path: Path, code: str, after: bool
) -> None:
    world = single(tmp_path, Fault("merge", code, after=after))
    assert world.run().exit_status is ExitStatus.OK
    assert world.merged
    assert world.operations().count("merge") == (1 if after else 2)


def test_a_run_killed_before_the_host_merged_has_it_merge(tmp_path: Path) -> None:
    world = single(tmp_path)
    assert run_and_kill(world, lambda event, _: event == CallStarted("merge"))
    assert not world.merged
    assert world.run().exit_status is ExitStatus.OK
    assert world.merged
    assert len(world.events(MergeVerified)) == 1


def canceling(root: Path, wps: dict[str, list[str]], canceled: str) -> World:
    """A mission whose `canceled` is rejected for good after its hand-in, and then canceled by a person."""

    def script(job: Job) -> Did:
        if job.role == "review" and job.wp == canceled:
            return job.verdict("changes_requested", ["no"])
        return good(job)

    world = World(root, wps, dialect="mission-4", shape="single_branch", script=script)
    rows = {**world.profile.retry.review, "changes_requested": RetryRow(Action.BLOCK)}
    world.change(
        retry=replace(world.profile.retry, review=rows), finish=replace(world.profile.finish, accept=False)
    )
    world.run()
    assert world.lanes()[canceled] is Lane.BLOCKED
    world.host.move(canceled, Lane.CANCELED)
    return world


def test_what_a_canceled_one_brought_onto_the_target_is_reviewed_with_the_next_one(tmp_path: Path) -> None:
    world = canceling(tmp_path, PAIR, "WP01")
    report = world.run()
    assert report.exit_status is ExitStatus.OK, report.reason
    bases = {event.wp: event.base for event in world.events(WorkspaceAllocated)}
    assert bases["WP02"] == bases["WP01"]


def test_what_no_later_review_has_seen_is_named_once(tmp_path: Path) -> None:
    world = canceling(tmp_path, {"WP01": [], "WP02": ["WP01"]}, "WP02")
    report = world.run()
    assert report.exit_status is ExitStatus.INCOMPLETE
    assert "WP02 is canceled, but what it handed in is on main" in report.reason
    assert "revert" in report.reason
    assert not world.merged
    assert world.run().exit_status is ExitStatus.OK
    assert world.merged


def test_a_lost_journal_hides_nothing_that_was_brought_onto_the_target_from_the_reviewer(
    tmp_path: Path,
) -> None:
    world = single(tmp_path)
    assert run_and_kill(world, lambda event, _: event == CallStarted("claim_review", wp="WP01"))
    base = world.events(WorkspaceAllocated)[0].base
    world.place.journal.unlink()
    assert world.run().exit_status is ExitStatus.OK
    assert world.events(WorkspaceAllocated)[0].base == base
