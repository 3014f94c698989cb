"""What the parts of one run are made of, split by who needs it: a signature says what a part can touch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

from kitty_run.engine.decisions.circuit_breaker import Breakers
from kitty_run.engine.root_checkout import RootCheckout
from kitty_run.engine.scheduling.concurrency import Slots
from kitty_run.engine.scheduling.workspace_leases import WorkspaceLeases
from kitty_run.engine.shutdown import Control
from kitty_run.engine.state.events import Notice, WpMoved
from kitty_run.engine.state.gate_answers import Asker
from kitty_run.engine.state.journal import Journal
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.engine.state.run_state import Memory
from kitty_run.engine.state.usage import Cost
from kitty_run.engine.state.work_package_memory import WorkPackageMemory
from kitty_run.engine.work_clock import WorkClock
from kitty_run.execution.protocol import Executor
from kitty_run.git.protocols import RepositoryPort, WorkspacePort
from kitty_run.host.criteria import Criterion
from kitty_run.host.model import Lane, MissionState, WorkPackage
from kitty_run.host.protocol import Host
from kitty_run.profile.model import Profile


@dataclass(slots=True)
class Board:
    """The lanes as last reported by the host: by a state call, or by the reply to an own transition."""

    mission: str
    work_packages: Mapping[str, WorkPackage]
    lanes: dict[str, Lane]
    criteria: Sequence[Criterion] = ()
    """The mission's acceptance criteria, as they were when the session began."""

    @classmethod
    def of(cls, state: MissionState, criteria: Sequence[Criterion] = ()) -> Board:
        """The board of a state reply."""
        packages = {wp.id: wp for wp in state.work_packages}
        return cls(state.mission, packages, {wp: found.lane for wp, found in packages.items()}, criteria)

    def actor(self, wp: str) -> str | None:
        """Who moved `wp` last, where the host names anyone."""
        return self.work_packages[wp].actor or None


@dataclass(frozen=True, slots=True)
class Run:
    """What every part of a run decides by, and writes to."""

    profile: Profile
    board: Board
    journal: Journal
    memory: Memory
    place: RunPlace
    repo: Path
    """The root checkout."""
    control: Control = field(default_factory=Control)
    random: Random = field(default_factory=Random)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: WorkClock = field(default_factory=WorkClock)
    """Seconds that the session has worked."""
    earlier: Memory = field(default_factory=Memory)
    """What earlier runs of the mission wrote down."""
    others: Mapping[date, Cost] = field(default_factory=dict)
    """What other runs of the repository cost, by the day, where a limit asks for it."""

    def remember(self, wp: str) -> WorkPackageMemory:
        """The memory of `wp`."""
        return self.memory.of(wp)

    def holder(self, wp: str, leases: WorkspaceLeases) -> str | None:
        """The work package that keeps `wp` out of its workspace now, None where there is none."""
        board = self.board
        return leases.holder(wp, board.work_packages, board.lanes, self.memory.work_packages)

    def moved(self, wp: str, lane: Lane) -> None:
        """Put `wp` into `lane` on the board, and into the journal where that is news."""
        self.board.lanes[wp] = lane
        known = self.remember(wp)
        if known.lane is not lane or known.moved is not None:
            self.journal.write(WpMoved(wp, lane))

    def reviewed_head(self, wp: str) -> str | None:
        """The reviewed commit of `wp`, by this run's journal or by those of earlier runs."""
        return self.remember(wp).reviewed or self.earlier.of(wp).reviewed

    def reviewed(self) -> tuple[str, ...]:
        """The reviewed commits of all work packages, each once."""
        found = (self.remember(wp).reviewed for wp in self.board.lanes)
        return tuple(dict.fromkeys(commit for commit in found if commit))

    def notice(self, text: str, wp: str | None = None) -> None:
        """Write something for people that changes no decision into the journal."""
        self.journal.write(Notice(text, wp=wp))


@dataclass(frozen=True, slots=True)
class Git:
    """The repository: for what has to do with commits."""

    repository: RepositoryPort
    workspace: Callable[[Path, str], WorkspacePort]
    """The workspace in a directory, for a work package."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What attempts run with: where they run, how many at once, and which families may start."""

    executor: Executor
    slots: Slots
    breakers: Breakers
    looked_at: set[Path] = field(default_factory=set)
    """Workspaces in which nobody else was found at work in this session."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What decides which work package may start: the scheduler's."""

    slots: Slots
    leases: WorkspaceLeases = field(default_factory=WorkspaceLeases)
    sizes: Mapping[str, float] = field(default_factory=dict)
    """How large work packages are, compared with the mean."""


@dataclass(frozen=True, slots=True)
class Services:
    """All of it: for those who put the parts together, and nobody else."""

    run: Run
    host: Host
    root: RootCheckout
    git: Git
    execution: Execution
    schedule: Schedule
    assume_yes: bool = False
    """Whether every gate is passed."""
    asker: Asker | None = None
    """Who asks a person at the terminal; None where nobody is there."""
