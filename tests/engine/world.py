"""The simulation that most tests of the engine use: quick tables, two agents of different families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kitty_run.git.protocols import Unmerged
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.model import Profile
from kitty_run.simulation.agents import AttemptScript as Script
from kitty_run.simulation.agents import SimulatedAttempt as Job
from kitty_run.simulation.agents import SimulatedEnd as Did
from kitty_run.simulation.agents import flawless as good
from kitty_run.simulation.simulation import START, Simulation
from kitty_run.simulation.workspaces import SimulatedWorkspace as FakeWorkspace
from kitty_run.simulation.workspaces import WorkspaceContent

from tests.engine import profiles

__all__ = ["START", "Did", "FakeWorkspace", "Job", "Script", "World", "good"]


class World(Simulation):
    """A simulation with short names for what tests look at."""

    def __init__(
        self,
        root: Path,
        dependencies: Mapping[str, Sequence[str]],
        *,
        dialect: str = "mission",
        profile: Profile | None = None,
        script: Script = good,
        faults: Sequence[Fault] = (),
        shape: str | None = None,
        subtasks: Mapping[str, int] | None = None,
        rooms: Mapping[str, str] | None = None,
        untold: Sequence[str] = (),
    ) -> None:
        super().__init__(
            root,
            profile or profiles.profile(),
            dependencies,
            script=script,
            dialect=dialect,
            faults=faults,
            topology=shape,
            subtasks=subtasks,
            shared_workspaces=rooms,
            unannounced=untold,
        )
        self.clashes: list[str] = []

    @property
    def jobs(self) -> list[Job]:
        return self.attempts

    @property
    def running(self) -> list[Job]:
        return self.processes.running

    @property
    def peak(self) -> int:
        return self.processes.peak

    @property
    def kept(self) -> dict[str, str]:
        return self.repository.kept_commits

    @property
    def merged(self) -> bool:
        return self.host.held.merged

    @property
    def unmerged(self) -> tuple[Unmerged, ...]:
        return self.repository.unmerged

    @unmerged.setter
    def unmerged(self, found: tuple[Unmerged, ...]) -> None:
        self.repository.unmerged = found

    @property
    def trees(self) -> dict[str, WorkspaceContent]:
        return self.workspaces

    @property
    def yes(self) -> bool:
        return self.assume_yes

    @yes.setter
    def yes(self, yes: bool) -> None:
        self.assume_yes = yes

    def room(self, wp: str) -> str:
        return self.workspace_name(wp)

    def tree(self, room: str) -> WorkspaceContent:
        return self.workspace(room)

    def worked(self, wp: str, lane: Lane) -> bool:
        """Whether `wp` is under way and an attempt of it was started."""
        return lane is Lane.IN_PROGRESS and any(job.wp == wp for job in self.jobs)

    def change(self, **changes: Any) -> None:
        """Change the profile for the next run."""
        self.profile = replace(self.profile, **changes)

    def later(self, seconds: float) -> None:
        """Let the next session begin so long after the journal's last line."""
        self.wait(seconds)
