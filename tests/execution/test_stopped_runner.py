"""Attempts while the runner itself is stopped: what ended well meanwhile is neither late nor silent."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from unittest.mock import patch

import pytest
from kitty_run.agents.model import Exit, Started
from kitty_run.execution.processes import LocalProcesses

from tests.execution.launching import launch, no_note


async def until_written(log: Path) -> None:
    while not log.exists() or not log.read_text():
        await asyncio.sleep(0.01)


def test_what_ended_well_while_the_runner_was_stopped_is_no_timeout(tmp_path: Path) -> None:
    async def stopped_until_the_child_is_over(started: Started) -> None:
        with contextlib.suppress(ChildProcessError):  # a thread of the event loop's was faster
            os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)

    late = launch(tmp_path, "print('done')", timeout=0.0)
    ended = asyncio.run(LocalProcesses().run(late, stopped_until_the_child_is_over))
    assert (ended.ending, ended.status) == ("exit", 0)


@pytest.mark.parametrize("limits", [{"timeout": 60.0}, {"idle_timeout": 60.0}], ids=["timeout", "idle"])
def test_time_in_which_the_runner_was_stopped_counts_for_no_limit(
    tmp_path: Path, limits: dict[str, float]
) -> None:
    """An hour passes between two looks, as after ^Z, SIGSTOP or the pause of a virtual machine."""
    script = "import os, time; print('begun', flush=True)\nwhile not os.path.exists('go'): time.sleep(0.01)"
    late = launch(tmp_path, script, **limits)

    async def stopped_for_an_hour() -> Exit:
        loop = asyncio.get_running_loop()
        running = asyncio.create_task(LocalProcesses().run(late, no_note))
        await until_written(late.stdout)
        real = loop.time
        with patch.object(loop, "time", lambda: real() + 3600.0):
            for _ in range(20):
                await asyncio.sleep(0.01)
            (tmp_path / "go").touch()
            return await running

    ended = asyncio.run(stopped_for_an_hour())
    assert (ended.ending, ended.status) == ("exit", 0)


def test_what_ended_well_before_it_was_found_silent_is_not_idle(tmp_path: Path) -> None:
    async def stopped_until_the_child_is_over(started: Started) -> None:
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)

    late = launch(tmp_path, "print('done')", idle_timeout=0.0)
    ended = asyncio.run(LocalProcesses().run(late, stopped_until_the_child_is_over))
    assert (ended.ending, ended.status) == ("exit", 0)
