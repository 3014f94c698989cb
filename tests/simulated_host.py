"""The simulated host as a console script, which kitty-run keeps warm as it does with real hosts.

A start of it for each call would be most of what a test of the whole program costs.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from kitty_run.demo.hosts import host_environment
from kitty_run.demo.missions import Planner, make_project
from kitty_run.demo.spec import MissionSpec, Project

from tests.hosts import SIMULATED_FEATURE, RealHost

SCRIPT = f"""\
#!{sys.executable}
import sys
import click
from kitty_run.host.sim.cli import main
from kitty_run.host.sim.tables import rules

@click.command(add_help_option=False, context_settings={{"ignore_unknown_options": True}})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def host(words):
    sys.exit(main())

rules("feature"), rules("mission"), rules("mission-4")
host()
"""


def install(folder: Path) -> Path:
    """The script `spec-kitty` in `folder`."""
    script = folder / "spec-kitty"
    script.write_text(SCRIPT, encoding="utf-8")
    script.chmod(0o755)
    return script


@dataclass(frozen=True, slots=True)
class SimulatedHost(RealHost):
    """The simulated host in the place of a real one: whole missions on it cost a fifth."""

    def project(self, spec: MissionSpec, destination: Path) -> Project:
        """The mission of `spec`, planned at `destination` as a person would plan it for a 1.0 host."""
        no_planner = Path(shutil.which("false") or "false")
        made = make_project(destination, no_planner, self.env, spec)
        planner = Planner(made.root, no_planner, self.env)
        dialect = self.version.removeprefix("simulated-")
        planner.write({".kittify/sim-dialect": dialect})
        if self.version != SIMULATED_FEATURE:
            meta = {"target_branch": spec.branch, "mission_id": "01SIM", "topology": spec.topology}
            planner.write({f"kitty-specs/{made.mission}/meta.json": json.dumps(meta)})
        planner.commit("Name the simulated host's generation")
        return made


def host(version: str, folder: Path) -> SimulatedHost:
    """The simulated host of a generation, installed in `folder`."""
    script = install(folder)
    return SimulatedHost(version, script, host_environment(script, folder / "home"))
