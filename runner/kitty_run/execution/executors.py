"""Which executor a profile's `executor` names: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from kitty_run.execution.protocol import Executor, Site
from kitty_run.profile.model import ExecutorConfig, ExecutorKind

Opener = Callable[[ExecutorConfig, Site], Awaitable[Executor]]


async def _local(_: ExecutorConfig, site: Site) -> Executor:
    from kitty_run.execution.local import LocalExecutor

    return LocalExecutor(site)


KINDS: Mapping[ExecutorKind, Opener] = {"local": _local}


async def open_executor(config: ExecutorConfig, site: Site) -> Executor:
    """The executor that `config` names, to be closed by whoever opens it."""
    return await KINDS[config.kind](config, site)
