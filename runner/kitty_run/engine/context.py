"""What every part of one run shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from kitty_run.engine.decisions.circuit_breaker import Breakers
from kitty_run.engine.scheduling.concurrency import Slots
from kitty_run.engine.scheduling.workspace_leases import WorkspaceLeases
from kitty_run.engine.shutdown import Control
from kitty_run.engine.state.events import Notice, WpMoved
from kitty_run.engine.state.gate_answers import Asker
from kitty_run.engine.state.journal import Journal
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.engine.state.run_state import Memory, WorkPackageMemory
from kitty_run.execution.protocol import Executor
from kitty_run.git.protocols import RepositoryPort, WorkspacePort
from kitty_run.host.model import Host, Lane, MissionState, WorkPackage
from kitty_run.profile.model import Profile


@dataclass(slots=True)
class Board:
    """The lanes as last told by the host: by a state call, or by the reply to an own transition."""

    mission: str
    work_packages: Mapping[str, WorkPackage]
    lanes: dict[str, Lane]

    @classmethod
    def of(cls, state: MissionState) -> Board:
        """The board of a state reply."""
        board = cls(state.mission, {}, {})
        board.update(state)
        return board

    def update(self, state: MissionState) -> None:
        """Take over what the host says now."""
        self.work_packages = {wp.id: wp for wp in state.work_packages}
        self.lanes = {wp.id: wp.lane for wp in state.work_packages}


@dataclass(slots=True)
class Services:
    """The doors and the shared state of one run."""

    profile: Profile
    host: Host
    board: Board
    journal: Journal
    memory: Memory
    place: RunPlace
    repo: Path
    repository: RepositoryPort
    workspace: Callable[[Path], WorkspacePort]
    executor: Executor
    control: Control
    slots: Slots
    breakers: Breakers
    assume_yes: bool = False
    asker: Asker | None = None
    began: float = 0.0
    """Event loop time at which the session began."""
    sizes: Mapping[str, float] = field(default_factory=dict)
    """How large work packages are, compared with the mean."""
    ways: Mapping[str, float] = field(default_factory=dict)
    """Seconds from each work package to the end of the graph, as the scheduler last estimated them."""
    leases: WorkspaceLeases = field(default_factory=WorkspaceLeases)
    random: Random = field(default_factory=Random)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def remember(self, wp: str) -> WorkPackageMemory:
        """The memory of `wp`."""
        return self.memory.of(wp)

    def holder(self, wp: str) -> str | None:
        """The work package that keeps `wp` out of its workspace now, None where there is none."""
        board = self.board
        return self.leases.holder(wp, board.work_packages, board.lanes, self.memory.work_packages)

    def moved(self, wp: str, lane: Lane) -> None:
        """Put `wp` into `lane` on the board, and into the journal where that is news."""
        if self.board.lanes.get(wp) is not lane:
            self.board.lanes[wp] = lane
            self.journal.write(WpMoved(wp, lane))

    def notice(self, text: str, wp: str | None = None) -> None:
        """Tell people, and the journal, something that changes no decision."""
        self.journal.write(Notice(text, wp=wp))
