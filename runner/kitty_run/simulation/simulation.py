"""One simulated run: the real engine with everything around it simulated.

    simulation = Simulation(Path("."), profile, {"WP01": [], "WP02": ["WP01"]})
    report = simulation.run()

Scheduling, retries, limits, gates, leases and the journal are the engine's own. The host is the one in
memory; no process is started and no git is called. Files are written below `root` alone: the journal,
prompts, logs, and the task of each work package.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from kitty_run.engine.context import Board, Execution, Git, Run, Schedule, Services
from kitty_run.engine.decisions.circuit_breaker import Breakers
from kitty_run.engine.decisions.root_obstacles import Demands
from kitty_run.engine.kept_work import record_kept
from kitty_run.engine.root_checkout import RootCheckout
from kitty_run.engine.run_header import header
from kitty_run.engine.scheduling.concurrency import Slots
from kitty_run.engine.scheduling.critical_path import sizes
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import CallEnded, Entry, Event, RunResumed, RunStarted
from kitty_run.engine.state.gate_answers import Asker
from kitty_run.engine.state.journal import Journal, parse, read
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.engine.state.run_state import Memory
from kitty_run.engine.state.session_report import Report
from kitty_run.engine.work_clock import WorkClock
from kitty_run.execution.protocol import Site
from kitty_run.host.model import Lane, MissionState
from kitty_run.host.sim.memory import Fault, SimCall, SimHost
from kitty_run.profile.model import Profile
from kitty_run.simulation.agents import (
    AttemptScript,
    SimulatedAttempt,
    SimulatedExecutor,
    SimulatedProcesses,
    flawless,
)
from kitty_run.simulation.clock import run_in_virtual_time
from kitty_run.simulation.repository import SimulatedRepository
from kitty_run.simulation.workspaces import SimulatedWorkspace, WorkspaceContent

START = datetime(2030, 1, 1, tzinfo=UTC)
"""When the first session of a simulation begins."""


E = TypeVar("E", bound=Event)


class Simulation:
    """See the module. `run` again continues the run, as starting the runner again does.

    `dependencies` are the mission's work packages and those that each depends on; `faults` are the host
    calls that fail; `topology` is one of the dialect's shapes by name, None its plainest; `subtasks` says how
    many each work package lists; `shared_workspaces` names the workspaces that work packages share, and
    `unannounced` those whose workspace the host names only when they are claimed. `seed` decides what is left
    to chance in waits.
    """

    def __init__(  # noqa: PLR0913 - the parts of a world, each with a default
        self,
        root: Path,
        profile: Profile,
        dependencies: Mapping[str, Sequence[str]],
        *,
        script: AttemptScript = flawless,
        dialect: str = "mission",
        faults: Sequence[Fault] = (),
        topology: str | None = None,
        subtasks: Mapping[str, int] | None = None,
        shared_workspaces: Mapping[str, str] | None = None,
        unannounced: Sequence[str] = (),
        seed: int = 7,
    ) -> None:
        self.root = root
        self.profile = profile
        self.script = script
        self.host = SimHost.of(
            dependencies,
            dialect=dialect,
            repo=root,
            faults=list(faults),
            shape=topology,
            rooms=shared_workspaces or {},
            unannounced=frozenset(unannounced),
        )
        self.others: list[str] = []
        """Processes of others that work in every workspace, each in words."""
        self.attempts: list[SimulatedAttempt] = []
        """All that were started, in order."""
        self.workspaces: dict[str, WorkspaceContent] = {}
        self.processes = SimulatedProcesses(self)
        self.repository = SimulatedRepository(
            self.workspaces,
            lambda: {self.workspace_name(wp) for wp in self.host.held.work_packages},
            lambda: self.host.held.merged,
        )
        self.place = RunPlace(root / ".kitty-run" / "runs" / "run-1")
        self.on_event: Callable[[Any, Event, Session], None] | None = None
        """Called with the simulation, each new event and the session: to watch, or to act at that instant."""
        self.assume_yes = False
        self.asker: Asker | None = None
        """Who answers gates; nobody where it is None."""
        self.beat: float | None = None
        """Seconds between two looks of the runner at whether it was stopped; None: it never is."""
        self.clock = START
        """When the latest session began."""
        self._random = Random(seed)  # noqa: S311 - spreads waits
        self._write_tasks(_subtask_ids(dependencies, subtasks or {}))

    def workspace(self, name: str) -> WorkspaceContent:
        """The workspace of that name; it is a work package's id where nothing is shared."""
        return self.workspaces.setdefault(name, WorkspaceContent())

    def workspace_name(self, wp: str) -> str:
        """The name of the workspace of `wp`."""
        return self.host.rooms.get(wp, wp)

    def workspace_of(self, wp: str) -> WorkspaceContent:
        """What `wp` is worked on in."""
        return self.workspace(self.workspace_name(wp))

    def wait(self, seconds: float) -> None:
        """Let the next session begin so long after the journal's last line."""
        path = self.place.journal
        last = path.read_bytes().splitlines(keepends=True)[-1]
        self.clock = parse(path, last).entries[-1].at + timedelta(seconds=seconds)

    def run(self) -> Report:
        """One session, in virtual time; raises what the engine's session raises."""
        return run_in_virtual_time(self._run())

    def now(self) -> datetime:
        """The virtual time; only while a session runs."""
        return self.clock + timedelta(seconds=asyncio.get_running_loop().time())

    def entries(self) -> list[Entry]:
        """The journal's entries: events with their times."""
        return list(read(self.place.journal))

    def events(self, kind: type[E]) -> list[E]:
        """The journal's events of one type."""
        return [entry.event for entry in self.entries() if isinstance(entry.event, kind)]

    def lanes(self) -> dict[str, Lane]:
        """The lanes as the host holds them."""
        return {wp: held.lane for wp, held in self.host.held.work_packages.items()}

    def operations(self, wp: str | None = None) -> list[str]:
        """The names of the host calls made, of one work package or all."""
        return [call.operation for call in self.host.calls if wp in (None, call.wp)]

    async def _run(self) -> Report:
        clock, memory = WorkClock(asyncio.get_running_loop().time, self.beat), Memory()
        journal = Journal(self.place.journal, self.now, clock=clock)
        begins = RunStarted
        for entry in journal.open():
            memory.apply(entry)
            self.clock = max(self.clock, entry.at)
            begins = RunResumed
        journal.observe(memory.apply)
        state = await self._first_look()
        self.host.observer = lambda call: self._record(journal, call)
        session = Session(self._services(journal, memory, state, clock))
        journal.write(header(begins, self.profile, self.host, state))
        journal.observe(lambda entry: self._follow(entry.event, session))
        try:
            return await session.run()
        finally:
            journal.close()

    def _services(self, journal: Journal, memory: Memory, state: MissionState, clock: WorkClock) -> Services:
        site = Site(self.root, lambda _: self.place, self.now, {})
        executor = SimulatedExecutor(site, self.processes, self.others)
        slots, breakers = Slots(self.profile.concurrency), Breakers(memory, self.profile.retry, self.now)
        return Services(
            run=Run(
                self.profile,
                Board.of(state, self.host.criteria()),
                journal,
                memory,
                self.place,
                self.root,
                random=self._random,
                now=self.now,
                clock=clock,
            ),
            host=self.host,
            root=RootCheckout(self.repository, self._demands()),
            git=Git(self.repository, partial(self._workspace_at, journal)),
            execution=Execution(executor, slots, breakers),
            schedule=Schedule(slots, sizes=sizes(self.host, state.work_packages)),
            assume_yes=self.assume_yes,
            asker=self.asker,
        )

    def _demands(self) -> Demands:
        return Demands.of(self.host, self.profile.finish, self.root, self.host.held.mission, "main")

    async def _first_look(self) -> MissionState:
        """The connection's own state call, which is before the engine's time and meets no fault."""
        self.host.reconnect()
        faults, self.host.faults, self.host.observer = self.host.faults, [], None
        state = await self.host.state()
        self.host.faults = faults
        return state

    def _record(self, journal: Journal, call: SimCall) -> None:
        if call.operation == "merge" and self.host.held.merged:
            self.repository.note_merge()
        journal.write(CallEnded(operation=call.operation, code=call.code, seconds=0.0, wp=call.wp))

    def _follow(self, event: Event, session: Session) -> None:
        if self.on_event is not None:
            self.on_event(self, event, session)

    def _workspace_at(self, journal: Journal, path: Path, wp: str) -> SimulatedWorkspace:
        path.mkdir(parents=True, exist_ok=True)
        name = path.name.removeprefix(f"{self.host.held.mission}-")
        return SimulatedWorkspace(path, self.workspace(name), partial(record_kept, journal, wp))

    def _write_tasks(self, subtasks: Mapping[str, tuple[str, ...]]) -> None:
        """The work packages' tasks, as files and on the host."""
        held = self.host.held
        tasks = self.root / "kitty-specs" / held.mission / "tasks"
        tasks.mkdir(parents=True, exist_ok=True)
        packages = {wp: replace(held.work_packages[wp], subtasks=ids) for wp, ids in subtasks.items()}
        self.host.held = replace(held, work_packages=packages)
        for wp, ids in subtasks.items():
            front = f"title: Part {wp}\nsubtasks: {json.dumps(ids)}\n"
            (tasks / f"{wp}.md").write_text(f"---\n{front}---\nDo {wp}.\n", encoding="utf-8")


def _subtask_ids(work_packages: Iterable[str], counts: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """As many subtasks as `counts` says for each work package; their ids are the mission's."""
    numbers = itertools.count(1)
    return {wp: tuple(f"T{next(numbers):03}" for _ in range(counts.get(wp, 0))) for wp in work_packages}
