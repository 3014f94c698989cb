"""A mission of five, with a rework and checks, is killed before and after each line of its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptInterrupted,
    AttemptStarted,
    MergeVerified,
    VerdictGiven,
)
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.model import Check, Profile
from kitty_run.simulation.kill import Survivor, run_and_kill

from tests.engine import profiles
from tests.engine.world import Did, Job, World

FIVE = {"WP01": [], "WP02": ["WP01"], "WP03": ["WP01"], "WP04": [], "WP05": ["WP02", "WP03"]}
ATTEMPTS = 12
"""Two for each work package, and two more for the one that is rejected once."""


def checked() -> Profile:
    made = profiles.profile()
    implement = replace(made.roles["implement"], checks=(Check("tests", ("make-test",)),))
    return replace(made, roles={**made.roles, "implement": implement})


def rejecting(wp: str) -> Callable[[Job], Did]:
    """Agents of which `wp` is rejected once; checks and reviewers leave something behind."""

    def script(job: Job) -> Did:
        if job.agent == "make-test":
            job.tree.files["build.log"] = "left by a check"
            return Did()
        if job.role == "implement":
            return job.work(f"{job.wp}-{job.cycle}.txt")
        job.tree.files["reviewer.txt"] = "left by a reviewer"
        rejected = job.wp == wp and f"{wp}-2.txt" not in job.tree.commits[-1]
        return job.verdict("changes_requested", ["again"]) if rejected else job.verdict()

    return script


script = rejecting("WP02")


def works_on(job: Job) -> None:
    """What an agent does that lives on until the next start ends it."""
    job.tree.files["late.txt"] = "written after the kill"


def paid(world: World) -> Counter[tuple[str, str]]:
    """Agents that were started, by work package and role."""
    return Counter((job.wp, job.role) for job in world.jobs if job.agent != "make-test")


def begun_and_not_ended(world: World) -> int:
    """Attempts of whose end the journal knows nothing."""
    open_ = set()
    for entry in world.entries():
        match entry.event:
            case AttemptStarted() as one:
                open_.add((one.wp, one.role, one.attempt))
            case AttemptEnded() | AttemptInterrupted() as one:
                open_.discard((one.wp, one.role, one.attempt))
    return len(open_)


def unreviewed(world: World) -> Iterator[str]:
    """Work packages whose merged commit is none that a reviewer of this run approved."""
    approved = {event.commit for event in world.events(VerdictGiven) if event.verdict == "approved"}
    for wp in FIVE:
        tree = world.tree(wp)
        if tree.head not in approved or not tree.clean:
            yield wp
        if {"reviewer.txt", "build.log"} & tree.commits[-1].keys():
            yield f"{wp}: {sorted(tree.commits[-1])}"


def lines(root: Path, dialect: str) -> int:
    world = World(root, FIVE, script=script, dialect=dialect, profile=checked())
    assert world.run().exit_status is ExitStatus.OK
    assert paid(world).total() == ATTEMPTS
    return len(world.entries()) - 1  # the first is written before anybody listens


@pytest.mark.whole
@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("dialect", "survivor", "written"),
    [
        pytest.param("mission", works_on, True, id="mission-runner_alone-after"),
        *(
            pytest.param(dialect, survivor, written, marks=pytest.mark.slow, id=f"{dialect}-{who}-{when}")
            for dialect in ("mission", "feature")
            for who, survivor in (("power", None), ("runner_alone", works_on))
            for when, written in (("before", False), ("after", True))
            if (dialect, who, when) != ("mission", "runner_alone", "after")
        ),
    ],
)
def test_a_kill_costs_no_more_than_the_attempts_that_had_not_ended(
    tmp_path: Path, dialect: str, survivor: Survivor | None, written: bool
) -> None:
    for line in range(1, lines(tmp_path / "whole", dialect) + 1):
        world = World(tmp_path / str(line), FIVE, script=script, dialect=dialect, profile=checked())
        killed = run_and_kill(
            world,
            lambda _, count, at=line: count == at,  # type: ignore[misc]
            written=written,
            survivor=survivor,
        )
        assert killed or line > 1
        where = (line, [entry.event for entry in world.entries()[-2:]])
        cut_off = begun_and_not_ended(world)
        report = world.run()
        assert report.exit_status is ExitStatus.OK, (where, report)
        assert set(world.lanes().values()) == {Lane.DONE}, where
        assert world.events(MergeVerified), where
        assert list(unreviewed(world)) == [], where
        assert paid(world).total() <= ATTEMPTS + cut_off, (where, paid(world))
        assert max(paid(world).values()) <= 3, (where, paid(world))
        assert {one.cycles for one in report.work_packages.values()} == {1, 2}, where


@pytest.mark.whole
@pytest.mark.no_cover
@pytest.mark.parametrize("dialect", ["mission", pytest.param("feature", marks=pytest.mark.slow)])
@pytest.mark.parametrize("step", [17, 29, 41])
def test_several_kills_in_a_row_cost_no_more_than_what_each_cut_off(
    tmp_path: Path, dialect: str, step: int
) -> None:
    world = World(tmp_path, FIVE, script=script, dialect=dialect, profile=checked())
    for number in range(8):
        run_and_kill(world, lambda _, count, at=step + 7 * (number % 4): count == at)  # type: ignore[misc]
    cut_off = begun_and_not_ended(world)
    report = world.run()
    assert report.exit_status is ExitStatus.OK, report
    assert list(unreviewed(world)) == []
    assert paid(world).total() <= ATTEMPTS + cut_off, paid(world)
