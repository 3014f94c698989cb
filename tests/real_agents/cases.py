"""What is run of a preset, and what must come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kitty_run.profile.model import RoleName

from tests.real_agents.catalog import Mock
from tests.real_agents.presets import Preset
from tests.real_agents.service import Scenario

ERRORS: tuple[tuple[Scenario, str], ...] = (("401", "auth"), ("429", "rate_limited"), ("503", "overloaded"))
LIMIT = 300.0
"""Seconds that a run may take; a CLI that still waits then is ended, as a run's `timeout` ends it."""

PATIENCE = 60.0
"""The same, for a CLI that is known to wait."""

NO_SUCCESS = "no success"
"""An outcome: any failure will do."""


@dataclass(frozen=True, slots=True)
class Case:
    """A run and what must come of it: an outcome, and whether the file is written.

    `outside`: the file lies outside of the workspace. `again`: it is run twice, the second time in the
    session of the first. `bare`: it is given neither model, service nor key. `reaches`: a shell is asked to
    reach the network, and whether it must. `limit` is in seconds.
    """

    what: str
    role: RoleName
    sandbox: str
    network: str
    scenario: Scenario = "work"
    outcome: str = "success"
    writes: bool = False
    outside: bool = False
    again: bool = False
    bare: bool = False
    reaches: bool | None = None
    limit: float = LIMIT


def cases(preset: Preset, mock: Mock) -> Iterator[Case]:
    """What is run: both roles in each sandbox mode, ways out of it, a second turn, and errors."""
    network = next(value for value in preset.networks if value != "allowlist")
    usual = preset.sandboxes[0]
    for mode in preset.sandboxes:
        yield Case(f"implement {mode}", "implement", mode, network, writes=mode != "read_only")
        yield Case(f"review {mode}", "review", mode, network)
    yield Case("implement outside", "implement", usual, network, outside=True)
    if mock.shell and network == "none":
        for mode in (*preset.sandboxes[:1], *(mode for mode in preset.sandboxes[1:] if mode == "none")):
            yield Case(f"shell {mode} none", "implement", mode, network, reaches=False)
    if mock.shell:
        yield Case("shell none open", "implement", "none", "open", reaches=True)
    if "allowlist" in preset.networks:
        yield Case("implement allowlist", "implement", usual, "allowlist", writes=True)
        yield Case("review allowlist", "review", usual, "allowlist")
    if "resume" in preset.agent:
        yield Case("implement again", "implement", usual, network, writes=True, again=True)
    if mock.model:
        yield Case("no model", "implement", usual, network, outcome=NO_SUCCESS, bare=True, limit=PATIENCE)
    for scenario, outcome in ERRORS:
        what, waits = f"implement {scenario}", mock.waits.get(scenario)
        limit = PATIENCE if waits else LIMIT
        yield Case(what, "implement", usual, network, scenario, waits or outcome, limit=limit)
