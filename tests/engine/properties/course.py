"""One random mission as it happens: its sessions, and a last one after every trouble has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kitty_run.engine.session import Session
from kitty_run.engine.state.events import Event, GateWaiting, MergeStarted
from kitty_run.engine.state.gate_answers import Answer, give
from kitty_run.engine.state.journal import Entry
from kitty_run.engine.state.session_report import Report
from kitty_run.errors import ExitStatus
from kitty_run.git.protocols import Conflict
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import SimHost
from kitty_run.profile.limits import Limits
from kitty_run.simulation.agents import SimulatedAttempt
from kitty_run.simulation.kill import run_and_kill
from kitty_run.simulation.simulation import Simulation

from tests.engine.properties.moments import BETWEEN, Moment, Moments
from tests.engine.properties.scenarios import KILLS, Foreign, Scenario, Stop

EVENTS, CALLS = 4000, 2000
"""No session of at most four work packages needs as many."""
AT_ROOT = ("commit_status", "abort_merge", "cleanup", "keep", "put_back")
"""What changes the root checkout or its refs."""
HEALED = 4
"""Sessions that a run may need after every trouble has ended: a gate that was rejected is asked again."""


def _survive(attempt: SimulatedAttempt) -> None:
    """What an agent still does whose runner was killed."""
    attempt.tree.files["reviewer.txt" if attempt.role == "review" else "late.txt"] = "x"


class Endless(BaseException):
    """A session does not end."""


class Course:
    """One scenario as it happens: all its sessions, and a last one after every trouble has ended."""

    def __init__(self, scenario: Scenario, root: Path, watch: Callable[[Course, Event], None]) -> None:
        self.scenario = scenario
        self._watch = watch
        self.simulation = Simulation(
            root,
            scenario.profile,
            scenario.dependencies,
            script=scenario.script,
            dialect=scenario.dialect,
            faults=scenario.faults,
            topology=scenario.topology,
            subtasks=scenario.subtasks,
            shared_workspaces=scenario.shared,
            unannounced=scenario.unannounced,
        )
        self.simulation.host.latency = scenario.latency
        self.simulation.on_event = self._on_event
        self.unresolved = scenario.conflict
        """Whether the work can't be merged, now."""
        self.together_with_calls: list[str] = []
        """What git did at the root while a host call was under way there: both write its index."""
        self._watch_repository()
        self.plans = self.planned()
        """The mission's own files, which nobody may change."""
        self.touched: set[str] = set()
        """Work packages that somebody else moved, or in whose workspace somebody else worked."""
        self.moved: set[str] = set()
        """Those that somebody else moved past a review, and those that share a workspace with them."""
        self.late: set[str] = set()
        """Those in whose workspace somebody else worked when the host was merging already."""
        self.events_until_healed = 0
        """Events of the journal before every trouble ended."""
        self._moments = Moments()
        self._answers = list(scenario.answers)
        self._merging = False
        self.session = 0
        self.interrupted = False
        """Whether a person has interrupted this session."""
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
        for number, stop in enumerate(self.scenario.stops, 1):
            self._session(stop)
            self.simulation.wait(stop.away)
            self._interfere_at(frozenset({Moment(BETWEEN, number)}), None)
        self._session(None)
        self._heal()
        for _ in range(HEALED):
            self._session(None)
            if self.reports[-1].exit_status is not ExitStatus.PAUSED:
                break
        self.journal = self.simulation.entries()
        return self

    def planned(self) -> dict[str, bytes]:
        """What is below `kitty-specs/` at the root checkout."""
        folder = self.simulation.root / "kitty-specs"
        return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

    def together(self, wp: str) -> set[str]:
        """The work packages that share the workspace of `wp`, and itself."""
        name = self.simulation.workspace_name(wp)
        return {one for one in self.scenario.dependencies if self.simulation.workspace_name(one) == name}

    def _watch_repository(self) -> None:
        """Have the repository find a conflict where there is one, and see what is done there during calls."""
        repository, host = self.simulation.repository, self.simulation.host

        async def conflict(target: str, heads: Sequence[str]) -> Conflict | None:
            return Conflict(heads[-1], target, ("src/app.py",)) if self.unresolved and heads else None

        repository.conflict = conflict  # type: ignore[method-assign]
        for name in AT_ROOT:
            setattr(repository, name, self._noticing(name, getattr(repository, name), host))

    def _noticing(self, name: str, work: Callable[..., Awaitable[Any]], host: SimHost) -> Callable[..., Any]:
        async def done(*arguments: Any) -> Any:
            if host.under_way is not None and not host.under_way.done():
                self.together_with_calls.append(name)
            return await work(*arguments)

        return done

    def _heal(self) -> None:
        """From now on nothing fails, nobody interferes, and there are no limits and no gates to wait at."""
        self.healed, self.unresolved = True, False
        self.events_until_healed = self.simulation.place.journal.read_bytes().count(b"\n")
        self.simulation.host.faults.clear()
        self.simulation.assume_yes = True
        self.simulation.profile = replace(self.simulation.profile, limits=Limits())

    def _session(self, stop: Stop | None) -> None:
        self._of_session, self._stop, self._merging = 0, stop, False
        self.session, self.interrupted = self.session + 1, False
        self._calls_before = len(self.simulation.host.calls)
        if stop is not None and stop.how in KILLS:
            self.kills += run_and_kill(
                self.simulation,
                lambda *_: stop.at in self._now,
                written=stop.how != "kill before the line",
                survivor=_survive if stop.how == "kill that agents survive" else None,
            )
        else:
            self.reports.append(self.simulation.run())

    def _on_event(self, simulation: Simulation, event: Event, session: Session) -> None:
        self._of_session += 1
        calls = len(simulation.host.calls) - self._calls_before
        if self._of_session > EVENTS or calls > CALLS:
            raise Endless(f"{self._of_session} events, {calls} calls")
        self._merging = self._merging or isinstance(event, MergeStarted)
        self._watch(self, event)
        self._now = frozenset[Moment]()
        if self.healed:
            return
        self._now = self._moments.see(event)
        self._interfere_at(self._now, event.wp)
        if isinstance(event, GateWaiting):
            self._answer(event.gate)
        if self._stop is not None and self._stop.at in self._now:
            self._interrupt(session)

    def _answer(self, gate: str) -> None:
        """What the next person says at a gate, if there is one."""
        if (approved := self._answers.pop(0) if self._answers else None) is not None:
            give(self.simulation.place, gate, Answer(approved, "somebody"))

    def _interrupt(self, session: Session) -> None:
        if self._stop is None or self._stop.how in KILLS:
            return
        self.interrupted = True
        for _ in range(2 if self._stop.how == "two interrupts" else 1):
            (session.end_now if self._stop.how == "end_now" else session.interrupt)()

    def _interfere_at(self, now: frozenset[Moment], wp: str | None) -> None:
        for foreign in self.scenario.foreign:
            if foreign.at in now:
                self._interfere(foreign, wp)

    def _interfere(self, foreign: Foreign, own: str | None) -> None:
        ids = list(self.scenario.dependencies)
        wp = own if foreign.wp is None and own is not None else ids[(foreign.wp or 0) % len(ids)]
        together = self.together(wp)
        self.touched |= together
        if isinstance(foreign.does, Lane):
            if foreign.does in {Lane.APPROVED, Lane.DONE}:
                self.moved |= together
            self.simulation.host.move(wp, foreign.does, "somebody")
            return
        if self._merging:
            self.late |= together
        content = self.simulation.workspace_of(wp)
        content.files[f"foreign-{foreign.at.nth}.txt"] = foreign.at.name
        if foreign.does == "commit":
            content.commit()
