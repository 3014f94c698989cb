"""Worlds whose attempts say what they cost, and what is counted of their limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from kitty_run.engine.state.events import (
    AttemptStarted,
)
from kitty_run.engine.state.session_report import Report
from kitty_run.profile.output import Output

from tests.engine import profiles
from tests.engine.world import World, good

HOUR = 3600.0


def metered(root: Path, dependencies: Mapping[str, list[str]], blind: tuple[str, ...] = ()) -> World:
    """A world whose attempts cost 1 dollar and 100 tokens each; of `blind` agents nobody hears of it."""
    profile = profiles.profile()
    output = Output("json", cost_usd=("/cost",), input_tokens=("/read",), output_tokens=("/written",))
    agents = {
        name: replace(agent, output=Output() if name in blind else output)
        for name, agent in profile.agents.items()
    }
    world = World(root, dependencies, profile=replace(profile, agents=agents))
    world.script = metering(good)
    return world


def metering(script: object) -> object:
    """`script`, with the meter's figures as each attempt's output."""
    figures = json.dumps({"cost": 1.0, "read": 90, "written": 10})
    return lambda job: replace(script(job), output=figures)  # type: ignore[operator]


def started(world: World, wp: str | None = None) -> int:
    return sum(wp in (None, event.wp) for event in world.events(AttemptStarted))


def limits_told(report: Report) -> list[tuple[str, str | None]]:
    return [(one.key, one.wp) for one in report.limits]
