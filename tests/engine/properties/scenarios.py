"""Random missions: agents, hosts and people that do anything, and a runner that is killed and resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from hypothesis import strategies as st
from kitty_run.host.dialect_files import named
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.host.sim.tables import rules
from kitty_run.profile.limits import Allowance, Limits
from kitty_run.profile.model import (
    Action,
    Backoff,
    Check,
    Concurrency,
    GateName,
    Profile,
    RetryRow,
)
from kitty_run.simulation.agents import SimulatedAttempt, SimulatedEnd

from tests.engine import profiles
from tests.engine.host_codes import CODES, OPERATIONS
from tests.engine.properties.deeds import DEEDS, GOOD, act
from tests.engine.properties.moments import ANY, MOMENTS, Moment
from tests.engine.properties.replies import SPOILS

ALWAYS = 10**6
KILLS = ("kill", "kill before the line", "kill that agents survive")
POLL = 1800.0
"""Seconds between two looks at what others do: agents may be limited for days."""
LEFT_BY_CHECKS = "cache.txt"
"""A file that every check leaves behind: it is nobody's work."""


def is_check(attempt: SimulatedAttempt) -> bool:
    """Whether it is a check of an attempt's work."""
    return "/checks-" in attempt.launch.marker


@dataclass(frozen=True)
class Foreign:
    """What somebody else does at a moment: moves a work package, or works in its workspace.

    `wp` is the place of the work package in the mission; None: the one that the moment is about.
    """

    at: Moment
    wp: int | None
    does: Lane | str


@dataclass(frozen=True)
class Stop:
    """How a session ends before its time, at a moment; the next one begins `away` seconds later."""

    how: str
    at: Moment
    away: float


@dataclass(frozen=True)
class Settings:
    """What a random profile differs in. `host`, `agent` and `review` are rows of its retry tables."""

    shipped: bool
    """Whether the other rows are those that are shipped, or the tests' quick ones."""
    host: dict[str, RetryRow]
    agent: dict[str, RetryRow]
    review: dict[str, RetryRow]
    concurrency: Concurrency
    limits: Limits
    gates: tuple[GateName, ...]
    independent: bool
    accept: bool
    history: Literal["brief", "none"]
    checks: bool

    def profile(self) -> Profile:
        """A profile with agents of three families."""
        made = profiles.profile(implement=("ada", "eve", "bob"), review=("bob", "joe", "ada"))
        checks = (Check("suite", ("suite",)),) if self.checks else ()
        known = profiles.shipped().retry if self.shipped else made.retry
        return replace(
            made,
            agents={**made.agents, "joe": replace(made.agents["joe"], family="eve")},
            roles={
                "implement": replace(made.roles["implement"], checks=checks),
                "review": replace(made.roles["review"], independent=self.independent),
            },
            retry=replace(
                known,
                host={**known.host, **self.host},
                agent={**known.agent, **self.agent},
                review={**known.review, **self.review},
            ),
            concurrency=self.concurrency,
            limits=self.limits,
            gates=self.gates,
            finish=replace(made.finish, accept=self.accept and made.finish.accept),
            host=replace(made.host, history=self.history, poll=POLL),
        )


@dataclass(frozen=True)
class Scenario:
    """A mission and everything that happens to it."""

    dependencies: dict[str, list[str]]
    shared: dict[str, str]
    unannounced: list[str]
    subtasks: dict[str, int]
    dialect: str
    topology: str
    deeds: tuple[str, ...]
    resets: float | None
    cost: float | None
    faults: tuple[Fault, ...]
    foreign: tuple[Foreign, ...]
    stops: tuple[Stop, ...]
    settings: Settings
    answers: tuple[bool | None, ...]
    """What people answer at gates, one after the other; None: nobody does."""
    latency: float
    checks: tuple[bool, ...]
    """Whether checks pass, one after the other and then from the beginning."""
    conflict: bool
    """Whether the reviewed work can't be merged, until somebody has resolved that at last."""

    @cached_property
    def profile(self) -> Profile:
        """The profile that it runs with."""
        return self.settings.profile()

    @property
    def benign(self) -> bool:
        """Whether nothing is done that could keep the mission from its end."""
        return not self.foreign and set(self.deeds) <= set(GOOD) and all(self.checks)

    def script(self, attempt: SimulatedAttempt) -> SimulatedEnd:
        number = sum(map(ord, attempt.wp)) + attempt.attempt * 3 + len(attempt.role)
        if is_check(attempt):
            attempt.tree.files[LEFT_BY_CHECKS] = "x"
            return attempt.idle() if self.checks[number % len(self.checks)] else attempt.fail()
        end = act(attempt, self.deeds[number % len(self.deeds)], self.resets)
        return replace(end, cost_usd=self.cost, input_tokens=None if self.cost is None else 1000)


BACKOFFS = st.builds(Backoff, st.sampled_from([0.0, 5.0, 40.0]), jitter=st.sampled_from([0.0, 0.5]))


def rows(*do: Action, then: tuple[Action, ...]) -> st.SearchStrategy[RetryRow]:
    """Rows with one of these verbs, and one of `then` after the repeats."""
    return st.builds(RetryRow, st.sampled_from(do), st.integers(1, 3), BACKOFFS, st.sampled_from(then))


ENDS = (Action.BLOCK, Action.ABORT, Action.SKIP, Action.PAUSE)
HOST_ROWS = rows(Action.RETRY, Action.REFRESH, Action.WAIT, *ENDS, then=ENDS)
AGENT_ROWS = rows(
    *(Action.RETRY, Action.WAIT, Action.FALLBACK, Action.REFRESH), *ENDS, then=(Action.FALLBACK, *ENDS)
)
REVIEW_ROWS = rows(Action.REWORK, Action.REWORK, Action.SKIP, Action.PAUSE, then=ENDS)
FAILURES = ("rate_limited", "overloaded", "timeout", "no_changes", "auth", "forbidden_change", "default")
GATES = st.lists(st.sampled_from(["start", "done", "accept", "merge"]), max_size=2, unique=True)
ALLOWANCES: Mapping[str, st.SearchStrategy[float | int | None]] = {
    "cost_usd": st.none() | st.sampled_from([0.4, 2.0]),
    "tokens": st.none() | st.sampled_from([900, 5000]),
    "wall_clock": st.none() | st.floats(0.5, 20.0),
    "attempts": st.none() | st.integers(1, 8),
}
LIMITS = st.just(Limits()) | st.builds(
    Limits, **ALLOWANCES, work_package=st.just(Allowance()) | st.builds(Allowance, **ALLOWANCES)
)
MANY = st.integers(1, 3)
SETTINGS = st.builds(
    Settings,
    shipped=st.booleans(),
    host=st.just({}) | st.dictionaries(st.sampled_from([*CODES, "default"]), HOST_ROWS, max_size=3),
    agent=st.just({}) | st.dictionaries(st.sampled_from(FAILURES), AGENT_ROWS, max_size=3),
    review=st.just({}) | st.fixed_dictionaries({"changes_requested": REVIEW_ROWS}),
    concurrency=st.builds(
        Concurrency,
        st.integers(1, 4),
        roles=st.fixed_dictionaries({"review": MANY}),
        agents=st.fixed_dictionaries({"ada": MANY}),
    ),
    limits=LIMITS,
    gates=st.just(()) | GATES.map(tuple),
    independent=st.booleans(),
    accept=st.sampled_from([True, True, True, False]),
    history=st.sampled_from(["brief", "none"]),
    checks=st.booleans(),
)
WHERE = {
    "operation": st.sampled_from(OPERATIONS),
    "wp": st.sampled_from([None, None, "WP01", "WP02"]),
    "times": st.sampled_from([1, 1, 2, ALWAYS]),
}
FAULTS = st.builds(Fault, code=st.sampled_from(CODES), after=st.booleans(), **WHERE) | st.builds(
    Fault, code=st.just(""), spoil=st.sampled_from(SPOILS), **WHERE
)
AT = st.builds(Moment, st.just(ANY), st.integers(1, 70)) | st.builds(
    Moment, st.sampled_from(list(MOMENTS)), st.integers(1, 3)
)
STOPS = st.builds(
    Stop,
    st.sampled_from(KILLS) | st.sampled_from(["interrupt", "end_now", "two interrupts"]),
    AT,
    st.sampled_from([0.0, 30.0, 4000.0]),
)


def foreign_deeds(dialect: str) -> st.SearchStrategy[Foreign]:
    """Changes and commits in a workspace, and moves to any lane that the host has."""
    lanes = list(rules(dialect).transitions)
    does = st.sampled_from(["change", "commit", "commit"]) | st.sampled_from(lanes)
    return st.builds(Foreign, AT, st.none() | st.integers(0, 3), does)


def scenarios() -> st.SearchStrategy[Scenario]:
    """Missions in which anything happens, and some in which one kind of trouble is all there is."""
    return st.one_of(anything(), anything(), limited_agents(), other_people())


@st.composite
def other_people(draw: st.DrawFn) -> Scenario:
    """Missions that come to their end, side by side in few workspaces, and others who work there too."""
    made = draw(anything())
    shared = draw(st.booleans()) and made.dialect == "mission"
    quick = replace(made.settings, shipped=False, host={}, agent={}, review={}, limits=Limits(), gates=())
    at = st.builds(Moment, st.sampled_from([name for name in MOMENTS if name != ANY]), st.integers(1, 2))
    foreign = st.builds(Foreign, at, st.none() | st.integers(0, 3), st.sampled_from(["commit", "change"]))
    there = st.lists(foreign, min_size=1, max_size=3).map(tuple)
    return replace(
        made,
        dependencies={wp: [] if shared else needs for wp, needs in made.dependencies.items()},
        shared=dict.fromkeys(made.dependencies, "lane-a") if shared else made.shared,
        deeds=tuple(draw(st.lists(st.sampled_from(GOOD), min_size=1, max_size=3))),
        checks=(True,),
        conflict=False,
        faults=(),
        foreign=draw(st.just(()) | there | there),
        stops=made.stops[:1],
        settings=replace(quick, concurrency=replace(quick.concurrency, work_packages=4)),
    )


@st.composite
def limited_agents(draw: st.DrawFn) -> Scenario:
    """Work packages side by side, agents of families that are limited, and kills."""
    made = draw(anything())
    deeds = st.sampled_from(["limited", "limited", "overloaded", "work", "work", "fail"])
    return replace(
        made,
        dependencies={wp: needs if wp == "WP04" else [] for wp, needs in made.dependencies.items()},
        deeds=tuple(draw(st.lists(deeds, min_size=2, max_size=6))),
        faults=(),
        foreign=(),
        settings=replace(made.settings, gates=()),
    )


@st.composite
def anything(draw: st.DrawFn) -> Scenario:
    """Any mission of up to four work packages, with up to three faults, and two foreign deeds and stops."""
    ids = [f"WP{number:02}" for number in range(1, draw(st.integers(1, 4)) + 1)]
    edges = {
        wp: draw(st.lists(st.sampled_from(ids[:at]), unique=True, max_size=2)) if at else []
        for at, wp in enumerate(ids)
    }
    dialect = draw(st.sampled_from(["mission", "feature"]))
    lanes = st.sampled_from(["lane-a", "lane-b", None, None])
    shared = {wp: lane for wp in ids if (lane := draw(lanes)) is not None} if dialect == "mission" else {}
    deeds = st.sampled_from(DEEDS) | st.sampled_from(GOOD)
    return Scenario(
        dependencies=edges,
        shared=shared,
        unannounced=draw(st.lists(st.sampled_from(ids), unique=True, max_size=2)),
        subtasks=draw(st.dictionaries(st.sampled_from(ids), st.integers(1, 2), max_size=2)),
        dialect=dialect,
        topology=draw(st.sampled_from([shape.topology.name for shape in named(dialect).shapes])),
        deeds=tuple(draw(st.lists(deeds, min_size=1, max_size=6))),
        resets=draw(st.none() | st.sampled_from([-60.0, 2.0, 90.0, 5000.0])),
        cost=draw(st.none() | st.just(0.25)),
        faults=tuple(draw(st.lists(FAULTS, max_size=3))),
        foreign=tuple(draw(st.lists(foreign_deeds(dialect), max_size=2))),
        stops=tuple(draw(st.lists(STOPS, max_size=2))),
        settings=draw(SETTINGS),
        answers=tuple(draw(st.lists(st.sampled_from([True, True, False, None]), max_size=3))),
        latency=draw(st.sampled_from([0.0, 0.5])),
        checks=tuple(draw(st.lists(st.sampled_from([True, True, False]), min_size=1, max_size=3))),
        conflict=draw(st.sampled_from([False, False, True])),
    )
