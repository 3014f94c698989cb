"""Killing the runner at an instant: what it had not written or done by then never happened."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kitty_run.engine.session import Session
from kitty_run.engine.state.events import Event
from kitty_run.simulation.agents import SimulatedAttempt
from kitty_run.simulation.simulation import Simulation

Survivor = Callable[[SimulatedAttempt], object]
"""What an agent does that outlives the runner: it may change the attempt's `tree`."""


class Killed(BaseException):
    """The runner was killed, as by `kill -9`."""


def run_and_kill(
    simulation: Simulation,
    when: Callable[[Event, int], bool],
    *,
    written: bool = True,
    survivor: Survivor | None = None,
) -> bool:
    """Run until `when(event, count)` says to kill the runner; whether that came to pass.

    `count` is the number of the event in this session, from 1. Host, workspaces and journal are put back to
    that very instant: the cleaning up that this process still does is undone. Not `written`: all has
    happened but the event's own line. Agents end with the runner, as in a power cut; each that was at work
    does first what `survivor` does, as where the runner alone is killed.
    """
    count = 0
    frozen: list[_Instant] = []

    def follow(_: Simulation, event: Event, session: Session) -> None:
        nonlocal count
        if frozen:
            return
        count += 1
        if watcher is not None:
            watcher(simulation, event, session)
        if when(event, count):
            frozen.append(_Instant(simulation, written=written))
            raise Killed

    watcher, simulation.on_event = simulation.on_event, follow
    try:
        simulation.run()
    except BaseException as error:
        if not frozen or not _is_kill(error):
            raise
    finally:
        simulation.on_event = watcher
    if frozen:
        frozen[0].restore(simulation, survivor)
    return bool(frozen)


class _Instant:
    """What outlives the runner, as it is at one moment."""

    def __init__(self, simulation: Simulation, *, written: bool) -> None:
        self._journal = simulation.place.journal.read_bytes()
        if not written:
            self._journal = b"".join(self._journal.splitlines(keepends=True)[:-1])
        self._running = tuple(simulation.processes.running)
        self._attempts = len(simulation.attempts)
        self._files = _files(simulation)
        self._held = simulation.host.held
        self._workspaces = copy.deepcopy(simulation.workspaces)
        self._kept = dict(simulation.repository.kept_commits)

    def restore(self, simulation: Simulation, survivor: Survivor | None) -> None:
        simulation.place.journal.write_bytes(self._journal)
        simulation.host.held = self._held
        simulation.workspaces.clear()
        simulation.workspaces.update(self._workspaces)
        simulation.repository.kept_commits = self._kept
        simulation.processes.running.clear()
        del simulation.attempts[self._attempts :]
        for file in _files(simulation) - self._files:
            file.unlink()
        for attempt in self._running:
            if survivor is not None:
                survivor(replace(attempt, tree=simulation.workspace_of(attempt.wp)))


def _files(simulation: Simulation) -> set[Path]:
    """The files of the run, but for its journal."""
    found = simulation.place.directory.rglob("*")
    return {path for path in found if path.is_file() and path != simulation.place.journal}


def _is_kill(error: BaseException) -> bool:
    if isinstance(error, Killed):
        return True
    causes = getattr(error, "exceptions", ()) or filter(None, (error.__cause__, error.__context__))
    return any(_is_kill(cause) for cause in causes)
