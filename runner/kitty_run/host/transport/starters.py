"""Which way host calls are started."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping

from loguru import logger

from kitty_run.host.transport.checked import CheckedStarter
from kitty_run.host.transport.cold import ColdStarter
from kitty_run.host.transport.environment import resolve
from kitty_run.host.transport.git_settings import with_settings
from kitty_run.host.transport.start import Starter
from kitty_run.host.transport.unchanged import Unchanged
from kitty_run.host.transport.warm.starter import WarmStarter
from kitty_run.profile.model import HostConfig


def starter(
    config: HostConfig,
    notice: Callable[[str], None] = logger.warning,
    settings: Mapping[str, str] | None = None,
) -> Starter:
    """The starter that the profile asks for, on the runner's environment with further git `settings`.

    `notice` is called once where calls are cold although the profile asks for warm. Raises `HostError`
    where the host's command is not found.
    """
    env = with_settings(os.environ, settings) if settings else os.environ
    cold = ColdStarter(config.command, env)
    resolve(config.command, env)
    if config.start == "cold":
        return cold
    return WarmStarter(config.command, env, cold, notice)


def watched_starter(
    config: HostConfig, settings: Mapping[str, str], before: Callable[[], Awaitable[None]]
) -> Starter:
    """The same for a run: `before` is awaited before each call, and the host must stay what it is.

    A call after the host was upgraded is not made: it raises `HostRefused` with `HOST_CHANGED`.
    """
    opened, same = starter(config, settings=settings), Unchanged(config.command, os.environ)

    async def check() -> None:
        await before()
        same.check()

    return CheckedStarter(opened, check)
