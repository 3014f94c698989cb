"""Which axes the runner's own sandbox holds."""

from __future__ import annotations

from typing import Any

import pytest
from kitty_run.profile.confinement import confined_axes
from kitty_run.profile.model import Extra, Policy

from tests.agents.making import agent

RUNNER, CLI = Extra(runner=True), Extra(("--kept",))


@pytest.mark.parametrize(
    ("files", "network", "mode", "sandbox", "held"),
    [
        (RUNNER, RUNNER, "workspace_write", "bubblewrap", {"sandbox_mode", "network_mode"}),
        (RUNNER, CLI, "workspace_write", "bubblewrap", {"sandbox_mode"}),
        (CLI, RUNNER, "workspace_write", "bubblewrap", {"sandbox_mode", "network_mode"}),
        (CLI, RUNNER, "none", "bubblewrap", {"network_mode"}),
        (CLI, CLI, "workspace_write", "bubblewrap", set()),
        (RUNNER, RUNNER, "workspace_write", "none", set()),
    ],
)
def test_the_sandbox_holds_what_is_left_to_it_and_files_with_it(
    files: Extra, network: Extra, mode: str, sandbox: Any, held: set[str]
) -> None:
    axes = {"approval_mode": "supervised", "sandbox_mode": mode, "network_mode": "none"}
    kept = {"sandbox_mode": {mode: files}, "network_mode": {"none": network}}
    policy = Policy("kitty-run", "1", None, axes)
    assert confined_axes(agent(enforce=kept, sandbox=sandbox), policy) == held
