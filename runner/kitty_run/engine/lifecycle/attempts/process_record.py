"""Every process that a run starts stands in the journal while it lives, so that a later run can end it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kitty_run.agents.model import OnStarted, Started
from kitty_run.engine.context import Services
from kitty_run.engine.state.events import AttemptProcess, ProcessEnded


@contextmanager
def recorded(services: Services, wp: str, marker: str) -> Iterator[OnStarted]:
    """A callback that records the started process under `marker`; on leaving, its end is recorded."""

    async def started(process: Started) -> None:
        services.journal.write(AttemptProcess(wp, marker=marker, pid=process.pid, created=process.created))

    try:
        yield started
    finally:
        services.journal.write(ProcessEnded(marker, wp=wp))
