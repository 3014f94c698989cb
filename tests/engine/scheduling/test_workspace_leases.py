"""One writer in a workspace: work packages that share one follow each other, from approved head to head."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.engine.state.events import AttemptProcess, WorkReady, WorkspaceAllocated, WorkspaceAwaited
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import Did, Job, World, good
from tests.examples import examples

SHARED = {"WP01": "lane-a", "WP02": "lane-a", "WP03": "lane-a"}
APART: dict[str, list[str]] = {"WP01": [], "WP02": [], "WP03": []}


def alone(world: World) -> None:
    """Let the world's script fail loudly where two work packages are at work in one workspace."""
    act = world.script

    def watched(job: Job) -> Did:
        others = {other.wp for other in world.running if world.room(other.wp) == world.room(job.wp)}
        begun = [
            wp
            for wp, lane in world.lanes().items()
            if world.room(wp) == world.room(job.wp) and wp != job.wp
            if lane in {Lane.FOR_REVIEW, Lane.IN_REVIEW, Lane.BLOCKED} or world.worked(wp, lane)
        ]
        world.clashes += sorted({*others, *begun} - {job.wp})
        return act(job)

    world.script = watched


@pytest.mark.parametrize("untold", [(), tuple(SHARED)])
def test_work_packages_of_one_workspace_follow_each_other_and_keep_each_others_files(
    tmp_path: Path, untold: tuple[str, ...]
) -> None:
    world = World(tmp_path, APART, rooms=SHARED, untold=untold)
    alone(world)
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    assert world.clashes == []
    assert set(world.tree("lane-a").commits[-1]) == {"WP01.txt", "WP02.txt", "WP03.txt"}
    awaited = {(event.wp, event.holder) for event in world.events(WorkspaceAwaited)}
    assert ("WP02", "WP01") in awaited


@pytest.mark.parametrize("untold", [(), tuple(SHARED)])
def test_the_next_one_is_measured_from_the_approved_head(tmp_path: Path, untold: tuple[str, ...]) -> None:
    world = World(tmp_path, APART, rooms=SHARED, untold=untold)
    world.run()
    bases = {event.wp: event.base for event in world.events(WorkspaceAllocated)}
    ready = {event.wp: event.commit for event in world.events(WorkReady)}
    order = [event.wp for event in world.events(WorkReady)]
    assert [bases[wp] for wp in order[1:]] == [ready[wp] for wp in order[:-1]]


def test_others_take_the_free_places_meanwhile(tmp_path: Path) -> None:
    world = World(tmp_path, {**APART, "WP04": []}, rooms=SHARED, profile=profiles.profile(work_packages=2))
    alone(world)
    world.run()
    assert world.clashes == []
    assert {job.wp for job in world.jobs[:2]} == {"WP01", "WP04"}


def test_a_blocked_one_keeps_its_workspace_and_the_others_name_whom_they_wait_for(tmp_path: Path) -> None:
    def script(job: Job) -> Did:
        return job.fail() if job.wp == "WP01" else good(job)

    world = World(tmp_path, APART, rooms={"WP01": "lane-a", "WP02": "lane-a"}, script=script)
    report = world.run()
    assert world.lanes() == {"WP01": Lane.BLOCKED, "WP02": Lane.PLANNED, "WP03": Lane.DONE}
    waits = report.work_packages["WP02"]
    assert (waits.result, waits.code) == (Result.WAITING, EndCode.WORKSPACE)
    assert waits.reason == "WP02 waits for WP01, which works in the same workspace (blocked)"


@pytest.mark.parametrize("lane", [Lane.IN_PROGRESS, Lane.IN_REVIEW, Lane.BLOCKED])
def test_what_is_under_way_at_the_start_goes_first(tmp_path: Path, lane: Lane) -> None:
    world = World(tmp_path, APART, rooms=SHARED)
    world.host.move("WP02", lane, "kitty-run")
    if lane is Lane.IN_REVIEW:
        world.tree("lane-a").commits.append({"WP02.txt": "x"})
        world.tree("lane-a").files = {"WP02.txt": "x"}
    world.run()
    expected = {Lane.PLANNED} if lane is Lane.BLOCKED else {Lane.DONE}
    assert {world.lanes()[wp] for wp in ("WP01", "WP03")} == expected
    assert [job.wp for job in world.jobs[:1]] == ([] if lane is Lane.BLOCKED else ["WP02"])


def test_a_canceled_one_frees_its_workspace(tmp_path: Path) -> None:
    world = World(tmp_path, APART, rooms=SHARED)
    world.host.move("WP01", Lane.CANCELED)
    world.run()
    assert world.lanes()["WP02"] is Lane.DONE


@pytest.mark.parametrize("lane", [Lane.BLOCKED, Lane.IN_REVIEW])
def test_one_whose_workspace_nobody_has_named_keeps_it_too(tmp_path: Path, lane: Lane) -> None:
    """The journal is lost, and the host's plan names no workspace: the host is asked before any claim."""
    world = World(tmp_path, APART, rooms=SHARED, untold=tuple(SHARED))
    world.tree("lane-a").files = {"WP02.txt": "half"}
    world.host.move("WP02", lane, "kitty-run")
    world.tree("lane-a").commit()
    alone(world)
    world.run()
    assert world.clashes == []
    assert ("claim" in world.operations()) == (lane is not Lane.BLOCKED)
    expected = Lane.PLANNED if lane is Lane.BLOCKED else Lane.DONE
    assert {world.lanes()[wp] for wp in ("WP01", "WP03")} == {expected}


def test_what_a_canceled_one_left_is_reviewed_with_the_next_one(tmp_path: Path) -> None:
    """Nobody reviewed it, and it is on the branch that is merged."""

    def script(job: Job) -> Did:
        if job.wp == "WP01":
            job.work()
            job.tree.commit()
            return job.fail()
        return good(job)

    world = World(tmp_path, APART, rooms=SHARED, script=script)
    world.run()
    start = world.tree("lane-a").heads[0]
    assert "WP01.txt" in world.tree("lane-a").commits[-1]
    world.host.move("WP01", Lane.CANCELED)
    world.run()
    bases = {event.wp: event.base for event in world.events(WorkspaceAllocated)}
    ready = {event.wp: event.commit for event in world.events(WorkReady)}
    assert (bases["WP02"], bases["WP03"]) == (start, ready["WP02"])


@pytest.mark.parametrize("untold", [(), tuple(SHARED)])
def test_without_a_journal_the_next_one_is_measured_from_the_last_reviewed_head(
    tmp_path: Path, untold: tuple[str, ...]
) -> None:
    world = World(tmp_path, APART, rooms=SHARED, untold=untold)
    assert run_and_kill(world, lambda event, _: isinstance(event, AttemptProcess) and event.wp == "WP02")
    reviewed = world.events(WorkReady)[-1].commit
    assert world.lanes()["WP01"] is Lane.DONE
    world.place.journal.unlink()
    world.run()
    bases = {event.wp: event.base for event in world.events(WorkspaceAllocated)}
    assert bases["WP02"] == reviewed


def test_a_dependency_in_the_same_workspace_is_not_waited_for_in_a_circle(tmp_path: Path) -> None:
    world = World(tmp_path, {"WP01": [], "WP02": ["WP01"]}, rooms=SHARED)
    world.host.move("WP02", Lane.IN_PROGRESS, "kitty-run")
    assert world.run().exit_status is ExitStatus.OK


@pytest.mark.whole
@pytest.mark.no_cover
@settings(max_examples=examples(60), deadline=None)
@given(data=st.data())
def test_there_are_never_two_writers_in_a_workspace_and_every_run_ends(data: st.DataObject) -> None:
    ids = [f"WP{number:02}" for number in range(1, data.draw(st.integers(2, 6)) + 1)]
    edges = {
        wp: data.draw(st.lists(st.sampled_from(ids[:at]), unique=True, max_size=2)) if at else []
        for at, wp in enumerate(ids)
    }
    rooms = {wp: data.draw(st.sampled_from(["lane-a", "lane-b", wp])) for wp in ids}
    untold = data.draw(st.lists(st.sampled_from(ids), unique=True))
    deeds = data.draw(st.lists(st.sampled_from(["work", "work", "fail", "reject"]), min_size=1, max_size=12))

    def script(job: Job) -> Did:
        deed = deeds[len(world.jobs) % len(deeds)]
        if deed == "fail":
            return job.fail()
        if job.role == "review":
            return job.verdict("changes_requested" if deed == "reject" else "approved")
        return job.work(f"{job.wp}-{job.attempt}.txt")

    with tempfile.TemporaryDirectory() as root:
        slots = data.draw(st.integers(1, 4))
        world = World(
            Path(root),
            edges,
            rooms=rooms,
            untold=untold,
            profile=profiles.profile(work_packages=slots),
            script=script,
        )
        alone(world)
        for _ in range(2):
            report = world.run()
            assert world.clashes == []
            assert all(one.result for one in report.work_packages.values())
        for wp, lane in world.lanes().items():
            if lane is Lane.DONE:
                assert any(name.startswith(wp) for name in world.tree(rooms[wp]).commits[-1])
