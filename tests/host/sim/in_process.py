"""The simulated host without a process of its own: quicker to ask than one, and measured with the tests."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from kitty_run.host.sim.cli import main
from kitty_run.host.transport.start import RawReply


def ask(cwd: Path, arguments: tuple[str, ...], env: Mapping[str, str]) -> RawReply:
    """The reply to one command line in `cwd`; `env` is added to the test's environment."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, env),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status = main(arguments)
    return RawReply(out.getvalue(), err.getvalue(), status, 0.0)


class SimulatedStarter:
    """A starter whose calls are answered at once; `runner` runs what uses it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.command = ("simulated",)
        self.env = env
        self.runner = asyncio.Runner()

    async def call(self, arguments: tuple[str, ...], cwd: Path, timeout: float) -> RawReply:
        """See `Starter.call`."""
        return ask(cwd, arguments, self.env)

    async def close(self) -> None:
        """Nothing is open."""
