"""What a run may cost in a day, all runs of the repository together, and what prices make of tokens."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from kitty_run.engine.earlier_runs import cost_of_others, day_of
from kitty_run.engine.state.events import AttemptEnded, LimitReached
from kitty_run.engine.state.journal import scan
from kitty_run.errors import ExitStatus
from kitty_run.profile.limits import Limits
from kitty_run.profile.output import Output
from kitty_run.profile.prices import Price

from tests.engine import profiles
from tests.engine.metering import metered, started
from tests.engine.world import World, good

PER_DAY = Limits(cost_usd_per_day=3.0)


def priced(root: Path, *, totals: bool = False) -> World:
    """A world whose attempts report a model and tokens, each worth a dollar by the profile's prices."""
    output = Output(
        "json", model="/model", input_tokens=("/read",), output_tokens=("/written",), session="/session"
    )
    profile = profiles.profile()
    found = replace(output, totals="session" if totals else "attempt")
    agents = {name: replace(agent, output=found) for name, agent in profile.agents.items()}
    prices = {"house-model": Price(input=10_000.0, output=0.0)}
    world = World(root, {"WP01": []}, profile=replace(profile, agents=agents, prices=prices))
    said = json.dumps({"model": "House-Model", "read": 100, "written": 5, "session": "s-1"})
    world.script = lambda job: replace(good(job), output=said)
    return world


def test_tokens_become_a_cost_that_is_marked(tmp_path: Path) -> None:
    world = priced(tmp_path)
    report = world.run()
    assert report.exit_status is ExitStatus.OK
    assert [(event.cost_usd, event.cost_source) for event in world.events(AttemptEnded)] == [
        (1.0, "prices")
    ] * 2
    assert str(report.cost) == "2.00 USD (computed by prices)"


def test_a_limit_on_cost_sees_what_prices_make_of_tokens(tmp_path: Path) -> None:
    world = priced(tmp_path)
    world.change(limits=Limits(cost_usd=1.0))
    assert world.run().exit_status is ExitStatus.PAUSED
    assert started(world) == 1


def test_the_limit_of_a_day_holds_within_a_run(tmp_path: Path) -> None:
    world = metered(tmp_path, {"WP01": [], "WP02": [], "WP03": []})
    world.change(limits=PER_DAY)
    report = world.run()
    assert report.exit_status is ExitStatus.PAUSED
    assert [event.limit for event in world.events(LimitReached)] == ["limits.cost_usd_per_day"]
    assert "limits.cost_usd_per_day: 3.00 of 3.00 USD used" in report.reason


def test_other_runs_of_the_day_count(tmp_path: Path) -> None:
    world = metered(tmp_path, {"WP01": []})
    assert world.run().exit_status is ExitStatus.OK
    (tmp_path / ".git").mkdir()
    when = max(entry.at for entry in scan(world.place.journal).entries)

    os.utime(world.place.journal, (when.timestamp(), when.timestamp()))

    def others(run: str, now: datetime) -> float:
        return cost_of_others(PER_DAY, tmp_path, run, now)[day_of(now)].known_usd

    assert others("another", when) == 2.0
    assert others(world.place.id, when) == 0.0
    assert others("another", when - timedelta(days=1)) == 0.0
    assert cost_of_others(Limits(), tmp_path, "another", when) == {}
