"""Killing the runner at an instant: what it had not written or done by then never happened."""

from __future__ import annotations

import copy
from collections.abc import Callable

from kitty_run.engine.session import Session
from kitty_run.engine.state.events import Event
from kitty_run.simulation.simulation import Simulation


class Killed(BaseException):
    """The runner was killed, as by `kill -9`."""


def run_and_kill(simulation: Simulation, when: Callable[[Event, int], bool]) -> bool:
    """Run until `when(event, count)` says to kill the runner; whether that came to pass.

    `count` is the number of the event in this session, from 1. Host, workspaces and journal are put back to
    that very instant: the cleaning up that this process still does is undone. Agents end with the runner.
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
            frozen.append(_Instant(simulation))
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
        frozen[0].restore(simulation)
    return bool(frozen)


class _Instant:
    """What outlives the runner, as it is at one moment."""

    def __init__(self, simulation: Simulation) -> None:
        self._journal = simulation.place.journal.read_bytes()
        self._held = simulation.host.held
        self._workspaces = copy.deepcopy(simulation.workspaces)
        self._kept = dict(simulation.repository.kept_commits)

    def restore(self, simulation: Simulation) -> None:
        simulation.place.journal.write_bytes(self._journal)
        simulation.host.held = self._held
        simulation.workspaces.clear()
        simulation.workspaces.update(self._workspaces)
        simulation.repository.kept_commits = self._kept
        simulation.processes.running.clear()


def _is_kill(error: BaseException) -> bool:
    if isinstance(error, Killed):
        return True
    causes = getattr(error, "exceptions", ()) or filter(None, (error.__cause__, error.__context__))
    return any(_is_kill(cause) for cause in causes)
