"""One worktree, and the local executor with git's settings guarded, as a run has them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kitty_run.agents.model import AttemptFacts, CheckResult, Denial, Started
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.execution.guarded import GuardedExecutor
from kitty_run.execution.local import LocalExecutor
from kitty_run.execution.protocol import Site
from kitty_run.execution.workspace_protocol import SetupResult, SetupSpec, WorkspaceState, workspace_name
from kitty_run.git.guard.guard import Guard
from kitty_run.git.workspaces.workspace import Workspace
from kitty_run.profile.model import Extra
from kitty_run.profile.workspace import SetupStep, WorkspaceConfig

from tests.agents.making import POLICY, agent
from tests.git_repos import GitRepo

FREE = {axis: {value: Extra()} for axis, value in POLICY.axes.items()}


class CutOff(Exception):
    """The run ends while a command is at work."""


@dataclass
class Steps:
    """An observer that remembers the commands that ran; it fails at the one that is called `fails_at`."""

    fails_at: str = ""
    ran: list[str] = field(default_factory=list)

    async def begun(self, step: SetupStep, log: Path) -> None:
        self.ran.append(step.name)

    async def started(self, process: Started) -> None:
        if self.ran[-1] == self.fails_at:
            raise CutOff

    async def denied(self, denial: Denial) -> None:
        raise AssertionError(denial)

    async def ended(self, step: CheckResult) -> None:
        assert step.name == self.ran[-1]


@dataclass
class Desk:
    """The worktree `tree` of `root`; `folder` is where the runner keeps its own files."""

    root: GitRepo
    tree: GitRepo
    folder: Path

    def set_up(self, config: WorkspaceConfig, *, fails_at: str = "") -> tuple[SetupResult, list[str]]:
        """What came of it, and the names of the commands that ran; by a new executor each time."""
        steps = Steps(fails_at)
        return asyncio.run(self._set_up(config, steps)), steps.ran

    def ran(self, config: WorkspaceConfig) -> list[str]:
        return self.set_up(config)[1]

    async def _set_up(self, config: WorkspaceConfig, steps: Steps) -> SetupResult:
        site = Site(self.root.path, self._place, lambda: datetime.now(UTC), {"PATH": os.environ["PATH"]})
        executor = GuardedExecutor(LocalExecutor(site), Guard(self.root.path, None))
        name = workspace_name(self.root.path, self.tree.path)
        now = await Workspace(self.tree.path, self.root.path).snapshot()
        state = WorkspaceState(name, now.branch, now.head, now.tree)
        facts = AttemptFacts(
            run_id="run",
            mission="m",
            wp="WP01",
            title="Part",
            dependencies=(),
            role="implement",
            attempt=1,
            cycle=1,
            base=now.head,
        )
        spec = SetupSpec(
            attempt=facts, workspace=state, config=config, agent=agent(enforce=FREE), policy=POLICY
        )
        return await executor.set_up(spec, steps)

    def _place(self, run: str) -> RunPlace:
        place = self.folder / run
        place.mkdir(exist_ok=True, mode=0o700)
        return RunPlace(place)


def shell(name: str, script: str, inputs: Sequence[str] = ()) -> SetupStep:
    return SetupStep(name, ("sh", "-c", script), inputs=tuple(inputs))


def steps(*several: SetupStep) -> WorkspaceConfig:
    return WorkspaceConfig(setup=several)
