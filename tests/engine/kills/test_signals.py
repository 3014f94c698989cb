"""SIGTERM, or two interrupts, at each line of the journal: nothing is blocked, the next start continues."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import AttemptInterrupted, Event, WpEnded
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane

from tests.engine.kills.test_each_line import checked, rejecting, unreviewed
from tests.engine.world import World

TWO = {"WP01": [], "WP02": ["WP01"]}
ATTEMPTS = 6


script = rejecting("WP01")


def paid(world: World) -> int:
    return len([job for job in world.jobs if job.agent != "make-test"])


@pytest.mark.whole
@pytest.mark.no_cover
@pytest.mark.parametrize("dialect", ["mission", pytest.param("feature", marks=pytest.mark.slow)])
def test_a_signal_at_any_line_costs_the_attempts_under_way_and_blocks_nothing(
    tmp_path: Path, dialect: str
) -> None:
    whole = World(tmp_path / "whole", TWO, script=script, dialect=dialect, profile=checked())
    assert whole.run().exit_status is ExitStatus.OK
    assert paid(whole) == ATTEMPTS
    for line in range(1, len(whole.entries())):
        world = World(tmp_path / str(line), TWO, script=script, dialect=dialect, profile=checked())
        count = 0

        def stop(_: World, event: Event, session: Session, at: int = line) -> None:
            nonlocal count
            count += 1
            if count == at:
                session.end_now()

        world.on_event = stop
        world.run()
        world.on_event = None
        where = (line, world.entries()[-3:])
        assert "blocked" not in {event.result.value for event in world.events(WpEnded)}, where
        cut_off = len(world.events(AttemptInterrupted))
        report = world.run()
        assert report.exit_status is ExitStatus.OK, (where, report)
        assert set(world.lanes().values()) == {Lane.DONE}, where
        assert [one for one in unreviewed(world) if one.partition(":")[0] in TWO] == [], where
        assert paid(world) <= ATTEMPTS + cut_off, where
