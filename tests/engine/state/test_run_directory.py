"""Which run the same command continues."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.state.events import RunEnded, RunResumed, RunStarted
from kitty_run.engine.state.journal import Journal
from kitty_run.engine.state.run_directory import RunPlace, new_run, runs, unfinished_run

HEADER = {
    "profile": "profile.yaml",
    "digest": "0" * 64,
    "dialect": "mission",
    "contract": "1.5.0",
    "topology": "flat",
    "pid": 1,
    "machine": "here",
    "work_packages": {},
}


def run(repo: Path, *exit_statuses: int | None, mission: str = "demo") -> RunPlace:
    """A run of as many sessions, with how each ended; None: it was killed."""
    place = new_run(repo)
    journal = Journal(place.journal)
    journal.open()
    for number, status in enumerate(exit_statuses):
        begins = RunResumed if number else RunStarted
        journal.write(begins(mission=mission, **HEADER))  # type: ignore[arg-type]
        if status is not None:
            journal.write(RunEnded(exit_status=status, reason="", seconds=1.0))
    journal.close()
    return place


@pytest.mark.parametrize("statuses", [(0,), (4, 0), (None, 0)])
def test_a_finished_run_is_not_continued(tmp_path: Path, statuses: tuple[int | None, ...]) -> None:
    run(tmp_path, *statuses)
    assert unfinished_run(runs(tmp_path), "demo") is None


@pytest.mark.parametrize("statuses", [(4,), (None,), (1, 3), (0, None)])
def test_any_other_is(tmp_path: Path, statuses: tuple[int | None, ...]) -> None:
    place = run(tmp_path, *statuses)
    assert unfinished_run(runs(tmp_path), "demo") == place


def test_another_missions_run_is_not(tmp_path: Path) -> None:
    run(tmp_path, None, mission="other")
    assert unfinished_run(runs(tmp_path), "demo") is None
