"""Random missions: agents, hosts and people that do anything, and a runner that is killed and resumed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st
from kitty_run.host.dialect_files import named
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.host.sim.tables import rules
from kitty_run.profile.limits import Allowance, Limits
from kitty_run.profile.load import load
from kitty_run.profile.model import Action, Backoff, Concurrency, Profile, RetryRow
from kitty_run.simulation.agents import SimulatedAttempt, SimulatedEnd

from tests.engine import profiles
from tests.engine.host_codes import CODES, OPERATIONS

ALWAYS = 10**6
DEEDS = ("work", "work", "work", "commit", "idle", "fail", "timeout", "signal", "specs", "approve", "approve")
DEEDS += ("reject", "leave", "silent", "limited", "overloaded", "auth")


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
