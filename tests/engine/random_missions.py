"""Random missions: agents, hosts and people that do anything, and a runner that is killed and resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st
from kitty_run.engine.session import Report, Session
from kitty_run.engine.state.events import CallStarted, Event, MergeStarted
from kitty_run.engine.state.journal import Entry
from kitty_run.errors import ExitStatus
from kitty_run.host.dialect_files import named
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.host.sim.tables import rules
from kitty_run.profile.load import load
from kitty_run.profile.model import Action, Allowance, Backoff, Concurrency, Limits, Profile, RetryRow
from kitty_run.simulation.agents import SimulatedAttempt, SimulatedEnd
from kitty_run.simulation.kill import run_and_kill
from kitty_run.simulation.simulation import Simulation

from tests.engine import profiles
from tests.engine.host_codes import CODES, OPERATIONS

ALWAYS = 10**6
EVENTS, CALLS = 4000, 2000
"""No session of at most five work packages needs as many."""
HEALED = 3
"""Sessions that a run may need after every trouble has ended: a gate that was rejected is asked again."""
DEEDS = ("work", "work", "work", "commit", "idle", "fail", "timeout", "signal", "specs", "approve", "approve")
DEEDS += ("reject", "leave", "silent", "limited", "overloaded", "auth")


class Endless(BaseException):
    """A session does not end."""


@dataclass(frozen=True)
class Foreign:
    """What somebody else does at the n-th event: moves a work package, or works in its workspace."""

    at: int
    wp: int
    does: Lane | str


@dataclass(frozen=True)
class Stop:
    """How a session ends before its time: at its n-th event; the next one begins `away` seconds later."""

    how: str
    at: int
    away: float


@dataclass(frozen=True)
class Scenario:
    """A mission and everything that happens to it."""

    dependencies: dict[str, list[str]]
    shared: dict[str, str]
    unannounced: list[str]
    dialect: str
    topology: str
    deeds: tuple[str, ...]
    cost: float | None
    faults: tuple[Fault, ...]
    foreign: tuple[Foreign, ...]
    stops: tuple[Stop, ...]
    profile: Profile
    gates: tuple[str, ...]
    latency: float

    def script(self, attempt: SimulatedAttempt) -> SimulatedEnd:
        number = sum(map(ord, attempt.wp)) + attempt.attempt * 3 + len(attempt.role)
        end = act(attempt, self.deeds[number % len(self.deeds)])
        return replace(end, cost_usd=self.cost, input_tokens=None if self.cost is None else 1000)


def act(attempt: SimulatedAttempt, deed: str) -> SimulatedEnd:
    """One attempt of an agent that does `deed`, as far as its role can."""
    if deed in {"limited", "overloaded", "auth"}:
        until = (attempt.now + timedelta(seconds=90)).isoformat() if attempt.attempt % 2 else ""
        says = {"limited": attempt.limited(until), "overloaded": attempt.overloaded()}
        return says.get(deed) or replace(attempt.overloaded(), output="auth\n")
    if deed in {"fail", "timeout", "signal"}:
        attempt.work(f"part-{attempt.attempt}.txt")
        return attempt.fail(ending="exit" if deed == "fail" else deed)  # type: ignore[arg-type]
    if attempt.role == "review":
        return _review(attempt, deed)
    if deed in {"idle", "silent"}:
        return attempt.idle()
    if deed == "specs":
        attempt.tree.files["kitty-specs/demo/x"] = "x"
    end = attempt.work(f"{attempt.wp}-{attempt.attempt}.txt", seconds=1.0 + attempt.attempt % 3)
    if deed == "commit":
        attempt.tree.commit()
    return end


def _review(attempt: SimulatedAttempt, deed: str) -> SimulatedEnd:
    if deed in {"silent", "idle"}:
        return attempt.idle()
    if deed in {"leave", "commit"}:
        attempt.tree.files["reviewer.txt"] = "x"
    if deed == "commit":
        attempt.tree.commit()
    return attempt.verdict("changes_requested" if deed == "reject" else "approved")


@cache
def shipped() -> Profile:
    """A profile with all that is shipped as default."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "profile.yaml"
        path.write_text(
            "version: 1\nextends: [preset:claude]\n"
            "roles: {implement: {agents: [claude]}, review: {agents: [claude]}}\n"
        )
        return load(path).profile


ROWS = st.builds(
    RetryRow,
    st.sampled_from([Action.RETRY, Action.REFRESH, Action.WAIT, Action.BLOCK, Action.SKIP, Action.ABORT]),
    st.integers(1, 3),
    st.builds(Backoff, st.sampled_from([0.0, 5.0]), jitter=st.sampled_from([0.0, 0.5])),
    st.sampled_from([Action.BLOCK, Action.ABORT, Action.SKIP]),
)
SECONDS = st.sampled_from([0.0, 0.5])


@st.composite
def tables(draw: st.DrawFn, profile: Profile) -> Profile:
    """The shipped retry tables, the tests' quick ones, or these with random rows."""
    kind = draw(st.sampled_from(["shipped", "quick", "random"]))
    if kind == "shipped":
        return replace(profile, retry=shipped().retry)
    if kind == "quick":
        return profile
    codes = draw(st.lists(st.sampled_from(CODES), max_size=3, unique=True))
    host = {**profile.retry.host, **{code: draw(ROWS) for code in [*codes, "default"]}}
    return replace(profile, retry=replace(profile.retry, host=host))


@st.composite
def some_profiles(draw: st.DrawFn) -> Profile:
    """Agents of three families, with random concurrency, limits and independence."""
    made = profiles.profile(implement=("ada", "eve", "bob"), review=("bob", "joe", "ada"))
    made = draw(tables(made))
    agents = {**made.agents, "joe": replace(made.agents["joe"], family="eve")}
    roles = {**made.roles, "review": replace(made.roles["review"], independent=draw(st.booleans()))}
    at_once = draw(st.integers(1, 3))
    narrow = Concurrency(draw(st.integers(1, 4)), roles={"review": at_once}, agents={"ada": at_once})
    finish = made.finish if draw(st.integers(0, 4)) else replace(made.finish, accept=False)
    return replace(made, agents=agents, roles=roles, concurrency=narrow, limits=draw(LIMITS), finish=finish)


ALLOWANCES = {
    "cost_usd": st.none() | st.sampled_from([0.4, 2.0]),
    "tokens": st.none() | st.sampled_from([900, 5000]),
    "wall_clock": st.none() | st.floats(0.5, 20.0),
    "attempts": st.none() | st.integers(1, 8),
}
LIMITS = st.just(Limits()) | st.builds(
    Limits, **ALLOWANCES, work_package=st.just(Allowance()) | st.builds(Allowance, **ALLOWANCES)
)
FAULTS = st.builds(
    Fault,
    operation=st.sampled_from(OPERATIONS),
    code=st.sampled_from(CODES),
    wp=st.sampled_from([None, None, "WP01", "WP02"]),
    after=st.booleans(),
    times=st.sampled_from([1, 1, 2, ALWAYS]),
)
STOPS = st.builds(
    Stop,
    st.sampled_from(["kill", "kill", "interrupt", "end_now", "two interrupts"]),
    st.integers(1, 70),
    st.sampled_from([0.0, 30.0, 4000.0]),
)


def foreign_deeds(dialect: str) -> st.SearchStrategy[Foreign]:
    """Moves to any lane that the host has, and changes in a workspace."""
    lanes = list(rules(dialect).transitions)
    return st.builds(
        Foreign, st.integers(1, 80), st.integers(0, 4), st.sampled_from([*lanes, "change", "commit"])
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Any mission of up to five work packages, with up to three faults, foreign deeds and stops."""
    ids = [f"WP{number:02}" for number in range(1, draw(st.integers(1, 5)) + 1)]
    edges = {
        wp: draw(st.lists(st.sampled_from(ids[:at]), unique=True, max_size=2)) if at else []
        for at, wp in enumerate(ids)
    }
    dialect = draw(st.sampled_from(["mission", "feature"]))
    lanes = st.sampled_from(["lane-a", "lane-b", None, None])
    shared = {wp: lane for wp in ids if (lane := draw(lanes)) is not None} if dialect == "mission" else {}
    return Scenario(
        dependencies=edges,
        shared=shared,
        unannounced=draw(st.lists(st.sampled_from(ids), unique=True, max_size=2)),
        dialect=dialect,
        topology=draw(st.sampled_from([shape.topology.name for shape in named(dialect).shapes])),
        deeds=tuple(draw(st.lists(st.sampled_from(DEEDS), min_size=1, max_size=6))),
        cost=draw(st.none() | st.just(0.25)),
        faults=tuple(draw(st.lists(FAULTS, max_size=3))),
        foreign=tuple(draw(st.lists(foreign_deeds(dialect), max_size=2))),
        stops=tuple(draw(st.lists(STOPS, max_size=2))),
        profile=draw(some_profiles()),
        gates=tuple(draw(st.lists(st.sampled_from(["start", "done", "accept", "merge"]), max_size=1))),
        latency=draw(SECONDS),
    )


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
