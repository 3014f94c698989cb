"""Launches of small scripted agents, for the tests of this room."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kitty_run.agents.model import Denial, Exit, Launch, Started
from kitty_run.execution.processes import LocalProcesses


def launch(tmp_path: Path, script: str, **changes: Any) -> Launch:
    """A launch of Python code `script`, with limits that suit a test."""
    fields: dict[str, Any] = {
        "argv": (sys.executable, "-c", script),
        "cwd": tmp_path,
        "env": {"PATH": "/usr/bin:/bin"},
        "stdin": None,
        "stdout": tmp_path / "out.log",
        "stderr": tmp_path / "err.log",
        "timeout": 20.0,
        "idle_timeout": None,
        "kill_grace": 0.3,
        "marker": f"test:{tmp_path}",
    }
    return Launch(**{**fields, **changes})


async def no_note(started: Started) -> None:
    """An `OnStarted` that does nothing."""


async def no_denial(denial: Denial) -> None:
    """An `OnDenied` where nothing is refused."""
    raise AssertionError(denial)


def run(launch: Launch) -> Exit:
    """The launch's end on a new executor."""
    return asyncio.run(LocalProcesses().run(launch, no_note))


def environment(**names: str) -> Mapping[str, str]:
    return {"PATH": "/usr/bin:/bin", **names}
