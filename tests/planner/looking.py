"""Plans of missions on the simulated host."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kitty_run.host.sim.memory import SimHost
from kitty_run.planner.mission_plan import look, make
from kitty_run.planner.plan import MissionPlan, Plan, WorkPackagePlan, in_order
from kitty_run.profile.model import Profile

from tests.engine import profiles

DIAMOND = {"WP01": [], "WP02": ["WP01"], "WP03": ["WP01"], "WP04": ["WP02", "WP03"], "WP05": ["WP04"]}


def planned(host: SimHost, profile: Profile | None = None, repo: Path = Path("/nowhere")) -> Plan:
    """What a run with `profile` would do now."""
    profile = profile or profiles.profile()
    return make(profile, asyncio.run(look(host, repo, profile.host.actor)))


def mission_of(plan: Plan) -> MissionPlan:
    assert plan.mission is not None
    return plan.mission


def work_package(plan: Plan, wp: str) -> WorkPackagePlan:
    (found,) = [one for one in mission_of(plan).work_packages if one.id == wp]
    return found


def order(plan: Plan) -> list[list[str]]:
    """The ids of each wave, in the order in which they start."""
    return [[one.id for one in packages] for _, packages in in_order(mission_of(plan))]
