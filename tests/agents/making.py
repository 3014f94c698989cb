"""Agents, policies, contexts and ends of processes, for the tests of this room."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kitty_run.agents.model import AttemptContext, Exit
from kitty_run.profile.model import Agent, Extra, Policy

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
"""A Sunday noon."""

POLICY = Policy(
    orchestrator_id="kitty-run",
    orchestrator_version="1.0.0",
    agent_family=None,
    axes={"approval_mode": "supervised", "sandbox_mode": "workspace_write", "network_mode": "none"},
)


def agent(**changes: Any) -> Agent:
    """An agent that keeps `POLICY`."""
    fields: dict[str, Any] = {
        "name": "robo",
        "family": "robots",
        "command": ("robo", "run"),
        "enforce": {
            "sandbox_mode": {"workspace_write": Extra(("--sandbox", "ws"))},
            "network_mode": {"none": Extra(("--offline",))},
            "approval_mode": {"supervised": Extra(("--no-ask",))},
        },
        "args": ("--json",),
    }
    return Agent(**{**fields, **changes})


def context(workspace: Path, **changes: Any) -> AttemptContext:
    """An implementation attempt for WP02 in `workspace`."""
    fields: dict[str, Any] = {
        "run_id": "r1",
        "mission": "034-payments",
        "wp": "WP02",
        "title": "Retry payments",
        "dependencies": ("WP01",),
        "role": "implement",
        "attempt": 1,
        "cycle": 1,
        "workspace": workspace,
        "base": "abc123",
    }
    return AttemptContext(**{**fields, **changes})


def ended(directory: Path, stdout: str = "", stderr: str = "", **changes: Any) -> Exit:
    """An end with exit status 0 whose logs hold the given texts."""
    out, err = directory / "stdout.log", directory / "stderr.log"
    out.write_text(stdout, encoding="utf-8")
    err.write_text(stderr, encoding="utf-8")
    fields: dict[str, Any] = {"ending": "exit", "status": 0, "signal": None, "seconds": 1.0}
    return Exit(**{**fields, **changes}, stdout=out, stderr=err)
