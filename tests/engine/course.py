"""One random mission as it happens: its sessions, and a last one after every trouble has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kitty_run.engine.session import Report, Session
from kitty_run.engine.state.events import CallStarted, Event, MergeStarted
from kitty_run.engine.state.journal import Entry
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.limits import Limits
from kitty_run.simulation.kill import run_and_kill
from kitty_run.simulation.simulation import Simulation

from tests.engine.random_missions import Foreign, Scenario, Stop

EVENTS, CALLS = 4000, 2000
"""No session of at most five work packages needs as many."""
HEALED = 3
"""Sessions that a run may need after every trouble has ended: a gate that was rejected is asked again."""


class Endless(BaseException):
    """A session does not end."""


class Course:
    """One scenario as it happens: all its sessions, and a last one after every trouble has ended."""

    def __init__(self, scenario: Scenario, root: Path, watch: Callable[[Course, Event], None]) -> None:
        self.scenario = scenario
        self._watch = watch
        self.simulation = Simulation(
            root,
            replace(scenario.profile, gates=scenario.gates),
            scenario.dependencies,
            script=scenario.script,
            dialect=scenario.dialect,
            faults=scenario.faults,
            topology=scenario.topology,
            shared_workspaces=scenario.shared,
            unannounced=scenario.unannounced,
        )
        self.simulation.host.latency = scenario.latency
        self.simulation.on_event = self._on_event
        self.touched: set[str] = set()
        """Work packages that somebody else moved, or in whose workspace somebody else worked."""
        self.moved: set[str] = set()
        """Those that somebody else moved past a review, and those that share a workspace with them."""
        self.events = 0
        self.events_until_healed = 0
        """Events of the journal before every trouble ended."""
        self._of_session = 0
        self._calls_before = 0
        self._stop: Stop | None = None
        self.reports: list[Report] = []
        self.journal: list[Entry] = []
        """All events, at the end."""
        self.kills = 0
        self.healed = False

    def run(self) -> Course:
        """Everything to the end."""
        for stop in self.scenario.stops:
            self._session(stop)
            self.simulation.wait(stop.away)
        self._session(None)
        self._heal()
        for _ in range(HEALED):
            self._session(None)
            if self.reports[-1].exit_status is not ExitStatus.PAUSED:
                break
        self.journal = self.simulation.entries()
        return self

    def _heal(self) -> None:
        """From now on nothing fails, nobody interferes, and there are no limits and no gates to wait at."""
        self.healed = True
        self.events_until_healed = self.simulation.place.journal.read_bytes().count(b"\n")
        self.simulation.host.faults.clear()
        self.simulation.assume_yes = True
        self.simulation.profile = replace(self.simulation.profile, limits=Limits())

    def _session(self, stop: Stop | None) -> None:
        self._of_session, self._stop = 0, stop
        self._calls_before = len(self.simulation.host.calls)
        if stop is not None and stop.how == "kill":
            self.kills += run_and_kill(self.simulation, lambda _, count: count == stop.at)
        else:
            self.reports.append(self.simulation.run())

    def _on_event(self, simulation: Simulation, event: Event, session: Session) -> None:
        self.events += 1
        self._of_session += 1
        calls = len(simulation.host.calls) - self._calls_before
        if self._of_session > EVENTS or calls > CALLS:
            raise Endless(f"{self._of_session} events, {calls} calls")
        self._watch(self, event)
        if self.healed:
            return
        merging = isinstance(event, MergeStarted) or event == CallStarted("merge")
        for foreign in self.scenario.foreign:
            if foreign.at == self.events and not merging:
                self._interfere(foreign)
        if self._stop is not None and self._of_session == self._stop.at:
            self._interrupt(session)

    def _interrupt(self, session: Session) -> None:
        if self._stop is None or self._stop.how == "kill":
            return
        for _ in range(2 if self._stop.how == "two interrupts" else 1):
            (session.end_now if self._stop.how == "end_now" else session.interrupt)()

    def _interfere(self, foreign: Foreign) -> None:
        ids = list(self.scenario.dependencies)
        wp = ids[foreign.wp % len(ids)]
        name = self.simulation.workspace_name(wp)
        together = {one for one in ids if self.simulation.workspace_name(one) == name}
        self.touched |= together
        if foreign.does in {Lane.APPROVED, Lane.DONE}:
            self.moved |= together
        if isinstance(foreign.does, Lane):
            self.simulation.host.move(wp, foreign.does, "somebody")
            return
        content = self.simulation.workspace_of(wp)
        content.files["foreign.txt"] = f"at {self.events}"
        if foreign.does == "commit":
            content.commit()
