"""Which way host calls are started."""

from __future__ import annotations

import os
from collections.abc import Callable

from loguru import logger

from kitty_run.host.transport.cold import ColdStarter
from kitty_run.host.transport.environment import resolve
from kitty_run.host.transport.start import Starter
from kitty_run.host.transport.warm.starter import WarmStarter
from kitty_run.profile.model import HostConfig


def starter(config: HostConfig, notice: Callable[[str], None] = logger.warning) -> Starter:
    """The starter that the profile asks for, on the runner's environment.

    `notice` is called once where calls are cold although the profile asks for warm. Raises `HostError`
    where the host's command is not found.
    """
    cold = ColdStarter(config.command, os.environ)
    resolve(config.command, os.environ)
    if config.start == "cold":
        return cold
    return WarmStarter(config.command, os.environ, cold, notice)
