"""Simulated agents: a function that decides how each attempt ends, in the place of a process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from kitty_run.agents.model import Ending, Exit, Launch, OnStarted, Started
from kitty_run.execution.local import LocalExecutor
from kitty_run.execution.protocol import Site
from kitty_run.execution.workspace_protocol import WorkspaceState
from kitty_run.git.workspaces.setup_changes import Before, Changes
from kitty_run.machine import own_file
from kitty_run.profile.model import FailureClass
from kitty_run.simulation.workspaces import WorkspaceContent

USAGE = ("cost_usd", "input_tokens", "output_tokens")
"""The usage that an agent may report, in this order."""
WIDTH = 24
"""Characters of each figure: patterns of a fixed length are searched without a helper process."""


@dataclass(frozen=True)
class SimulatedEnd:
    """How a simulated attempt ends: after `seconds` of virtual time, with `output` on standard output.

    Cost and tokens are what the agent reports, None: nothing.
    """

    status: int | None = 0
    ending: Ending = "exit"
    seconds: float = 1.0
    output: str = ""
    cost_usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None

    def text(self) -> str:
        """All of standard output, as `simulation.profile.OUTPUT` reads it."""
        used = [getattr(self, name) for name in USAGE]
        if used == [None] * len(USAGE):
            return self.output
        words = ("-" if value is None else str(value) for value in used)
        return f"{self.output}used {' '.join(word.ljust(WIDTH) for word in words)}\n"


@dataclass
class SimulatedAttempt:
    """An attempt as a script sees it. Its methods act as an agent would and say how the attempt ends."""

    launch: Launch
    wp: str
    role: str
    agent: str
    attempt: int
    """Its number among the attempts of its work package and role, from 1."""
    cycle: int
    prompt: str
    tree: WorkspaceContent
    """The workspace that it works in; scripts may change it directly."""
    now: datetime

    def work(self, name: str | None = None, seconds: float = 1.0) -> SimulatedEnd:
        """Change a file and end well."""
        self.tree.files[name or f"{self.wp}.txt"] = f"{self.role} {self.attempt}"
        return SimulatedEnd(seconds=seconds)

    def idle(self) -> SimulatedEnd:
        """Change nothing, write no verdict, and end well."""
        return SimulatedEnd()

    def fail(self, status: int = 1, ending: Ending = "exit") -> SimulatedEnd:
        """End badly: with an exit status, or as `ending` says."""
        return SimulatedEnd(status=status if ending == "exit" else None, ending=ending)

    def fail_of(self, failure: FailureClass, until: str = "", seconds: float = 1.0) -> SimulatedEnd:
        """Fail as an agent whose output names the failure, and when it ends; see `simulation.profile`."""
        said = f"{failure} until {until}" if until else str(failure)
        return SimulatedEnd(status=1, seconds=seconds, output=f"{said}\n")

    def limited(self, resets_at: str = "", seconds: float = 1.0) -> SimulatedEnd:
        """End at the limit of the agent's service, which names when it ends, or not."""
        return self.fail_of(FailureClass.RATE_LIMITED, resets_at, seconds)

    def overloaded(self, seconds: float = 1.0) -> SimulatedEnd:
        """End since the agent's service is overloaded."""
        return self.fail_of(FailureClass.OVERLOADED, seconds=seconds)

    def verdict(
        self,
        verdict: Literal["approved", "changes_requested"] = "approved",
        findings: Sequence[str] = (),
        seconds: float = 1.0,
        criteria: Sequence[Mapping[str, str]] = (),
    ) -> SimulatedEnd:
        """Write a verdict and end well; `criteria` is what it says of the mission's own."""
        text = {
            "code": self.launch.env["KITTY_VERDICT_CODE"],
            "verdict": verdict,
            "summary": f"{verdict} by {self.agent}",
            "findings": list(findings),
            "criteria": list(criteria),
        }
        Path(self.launch.env["KITTY_VERDICT_FILE"]).write_text(json.dumps(text), encoding="utf-8")
        return SimulatedEnd(seconds=seconds)


AttemptScript = Callable[[SimulatedAttempt], SimulatedEnd]
"""Decides how an attempt ends; called when it starts, so that what it changes is there from then on."""


def flawless(attempt: SimulatedAttempt) -> SimulatedEnd:
    """Implement at the first attempt, approve at the first review."""
    return attempt.work() if attempt.role == "implement" else attempt.verdict()


class Surroundings(Protocol):
    """What the processes need of a simulation."""

    @property
    def script(self) -> AttemptScript: ...

    @property
    def attempts(self) -> list[SimulatedAttempt]: ...

    def workspace_of(self, wp: str) -> WorkspaceContent: ...

    def now(self) -> datetime: ...


class SimulatedSetupWorktree:
    """`SetupWorktree` of a directory that no git sees: whatever a setup leaves there is nobody's work."""

    identity = "simulated"

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path

    async def matching(self, patterns: Sequence[str]) -> tuple[str, ...]:
        return tuple(path for path in patterns if (self._path / path).exists())

    async def tracked(self, paths: Sequence[str]) -> tuple[str, ...]:
        return ()

    async def look(self, state: WorkspaceState) -> Before:
        nothing = frozenset[str]()
        return Before(state.head, state.branch, state.tree, nothing, nothing, nothing, ())

    async def settle(self, before: Before) -> Changes:
        return Changes((), {}, ())


class SimulatedExecutor(LocalExecutor):
    """The executor of this machine with simulated processes: of real ones it knows nothing."""

    def __init__(self, site: Site, runner: SimulatedProcesses, others: Sequence[str]) -> None:
        super().__init__(site, runner, worktree=SimulatedSetupWorktree)
        self._others = others

    async def others_in(self, workspace: str) -> tuple[str, ...]:
        return tuple(self._others)


class SimulatedProcesses:
    """`ProcessRunner` that lets the script act.

    `running` are the attempts of this moment, `peak` is the most that ran at once.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._at = surroundings
        self.running: list[SimulatedAttempt] = []
        self.peak = 0

    async def run(self, launch: Launch, on_started: OnStarted) -> Exit:
        attempt = self._attempt(launch)
        await on_started(Started(len(self._at.attempts) + 1, 0.0))
        self._at.attempts.append(attempt)
        self.running.append(attempt)
        self.peak = max(self.peak, len(self.running))
        try:
            end = self._at.script(attempt)
            with own_file(launch.stdout):
                launch.stdout.write_text(end.text(), encoding="utf-8")
            await asyncio.sleep(end.seconds)
        finally:
            self.running.remove(attempt)
        signal = 9 if end.ending == "signal" else None
        return Exit(end.ending, end.status, signal, end.seconds, launch.stdout, launch.stderr)

    def _attempt(self, launch: Launch) -> SimulatedAttempt:
        env = launch.env
        prompt = Path(env["KITTY_PROMPT_FILE"])
        return SimulatedAttempt(
            launch=launch,
            wp=env["KITTY_WP"],
            role=env["KITTY_ROLE"],
            agent=launch.argv[0],
            attempt=int(env["KITTY_ATTEMPT"]),
            cycle=int(env["KITTY_CYCLE"]),
            prompt=prompt.read_text(encoding="utf-8") if prompt.exists() else "",
            tree=self._at.workspace_of(env["KITTY_WP"]),
            now=self._at.now(),
        )
