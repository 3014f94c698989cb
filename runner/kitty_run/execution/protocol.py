"""What the engine hands to an executor, and what comes back: the only door to where agents and checks run.

A description is frozen, plain data that can be pickled and sent to another machine. It has no path of any
machine but the workspace's, relative to the repository's root, and names of environment variables, never
their values (but for those that the profile itself writes in `env.set`). Paths, environment, secrets,
sandbox, prompt and verdict file are prepared where the executor runs.

An executor may work in the workspace itself (the local one does) or in a copy of it. Of a copy it brings the
work back as git objects, and the engine lands them in the workspace; everything else is the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kitty_run.agents.launch.task import Task
from kitty_run.agents.model import CheckResult, Denial, OnDenied, OnStarted, Outcome, Started
from kitty_run.agents.results.verdict import NoVerdict
from kitty_run.execution.workspace_protocol import SetupObserver, SetupResult, SetupSpec, Spec
from kitty_run.git.protocols import Diff
from kitty_run.machine import MachineFault
from kitty_run.profile.model import Agent, Check, Policy
from kitty_run.profile.workspace import WorkspaceConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSpec(Spec):
    """One attempt of an agent, complete.

    `template` is the role's own prompt, None the default one. `diff` and `verdict_code`, the code word that
    the verdict must repeat, are for reviews. `note` is what an earlier attempt left; it may name a log that
    is only on the engine's machine.
    """

    task: Task
    template: str | None
    diff: Diff
    note: str
    verdict_code: str | None

    @property
    def marker(self) -> str:
        """What every process of this attempt carries in its environment."""
        return f"{self.attempt.run_id}/{self.attempt.wp}/{self.attempt.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec(Spec):
    """The checks of one attempt, to be run on the commit `workspace.head`: they run what `agent` wrote, and
    where it ran they are confined as it was."""

    checks: tuple[Check, ...]

    @property
    def marker(self) -> str:
        """What every process of these checks carries in its environment."""
        return f"{self.attempt.run_id}/{self.attempt.wp}/checks-{self.attempt.attempt}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An attempt that is about to start: its command line as people may see it (no prompt, no secrets), and
    its log and prompt as files of the engine's machine. The log grows while the attempt runs."""

    argv: tuple[str, ...]
    log: Path
    prompt: Path


@dataclass(frozen=True, slots=True)
class Brought:
    """Work that was done in a copy of the workspace: the commit `head` that was checked out there at the
    end, and the git tree of all that it held, uncommitted files included. Both are in the repository's
    object store when the executor returns; no ref, index or worktree of the repository was touched."""

    head: str
    tree: str


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """How an attempt ended. `outcome.exit` names logs on the engine's machine, whole by now.

    `verdict` is what the reviewer left in its verdict file, None: it left none. `brought` None: the agent
    worked in the workspace itself, and whatever it did is there.
    """

    outcome: Outcome
    verdict: str | NoVerdict | None = None
    brought: Brought | None = None


class AttemptObserver(Protocol):
    """What the engine does while an attempt runs. An error of either call ends the attempt, process and all,
    and is raised unchanged by `Executor.attempt`."""

    async def prepared(self, ready: Prepared) -> None:
        """Called once, before the agent is started; on an error it is not."""
        ...

    async def started(self, process: Started) -> None:
        """Called when the agent's process has started, so that a later run can find it."""
        ...

    async def denied(self, denial: Denial) -> None:
        """Called when a connection was refused; once for each host and port."""
        ...


class Executor(Protocol):
    """Where attempts and checks run. One serves any number of them at once."""

    async def unfit(self, agents: Sequence[Agent], policy: Policy) -> str | None:
        """Why attempts of `agents` can't run here under `policy`, for people; None: they can."""
        ...

    async def attempt(self, spec: AttemptSpec, observer: AttemptObserver) -> AttemptResult:
        """Run one attempt to its end, and end whatever it left behind.

        Cancelling the call ends the whole process tree first. Raises LaunchError where the attempt can't be
        prepared or started.
        """
        ...

    async def check(
        self, spec: CheckSpec, on_started: OnStarted, on_denied: OnDenied
    ) -> tuple[CheckResult, ...]:
        """Run every check in order, also after one has failed, so that feedback is complete.

        Files that checks change are no work: the engine takes them out of the workspace where they are in
        it, and those in a copy are not brought.
        Raises LaunchError; cancelling is as for `attempt`.
        """
        ...

    async def lacking(self, config: WorkspaceConfig) -> str | None:
        """What is to be copied into workspaces and is not there, for people; None: all of it is."""
        ...

    async def set_up(self, spec: SetupSpec, observer: SetupObserver) -> SetupResult:
        """Prepare the workspace where it is not prepared yet, or what its preparation depends on changed.

        Called before each attempt and before checks: only the executor knows what its workspace holds. What
        was done is remembered with the run's files, never in the workspace; a setup that was cut off runs
        again. It counts as no work: whatever git would see of it is as before, or hidden from git. Cancelling
        is as for `attempt`.
        """
        ...

    async def tear_down(self, spec: SetupSpec, observer: SetupObserver) -> SetupResult:
        """Run what ends a prepared workspace; nothing where it was not prepared."""
        ...

    async def fault(self, run: str, wp: str, workspace: str) -> MachineFault | None:
        """Why nobody can write where attempts for `wp` work, its logs or in the workspace of that name.

        Asked after a failure: one on a full disk is not the agent's. None: there is no such reason.
        """
        ...

    async def leftovers(self, runs: frozenset[str]) -> tuple[str, ...]:
        """The markers of attempts and checks that are alive though none of this executor's calls runs them.

        `runs` are the ids of the repository's runs; attempts in the repository's workspaces count whatever
        run they name.
        """
        ...

    async def end_leftovers(
        self, markers: Collection[str], started: Sequence[Started], workspaces: Collection[str]
    ) -> int:
        """End what carries one of `markers`, and the processes `started` if they are still those that were
        recorded; how many processes there were. `workspaces` are the names of those that they worked in."""
        ...

    async def finished(self, spec: AttemptSpec) -> AttemptResult | None:
        """What an attempt came to that outlived its runner and ended by itself before this one began.

        None: nobody knows, or it was cut off. Never a verdict. Called after `end_leftovers`.
        """
        ...

    async def others_in(self, workspace: str) -> tuple[str, ...]:
        """The processes that work in the workspace of that name though no call of this executor started them,
        each in words for people; none where the executor works in a copy."""
        ...

    async def close(self) -> None:
        """Give back what the executor holds. No call runs when this is called."""
        ...


class RunFiles(Protocol):
    """The files of one run, in directories that are made when they are asked for; raise KittyRunError."""

    def log(self, wp: str, name: str) -> Path:
        """The log of that name."""
        ...

    def prompt(self, wp: str, name: str) -> Path:
        """The prompt as it is sent."""
        ...

    def verdict(self, wp: str, name: str) -> Path:
        """Where a reviewer writes: in a directory made now, under a name that nobody can know before."""
        ...

    def files(self, wp: str, name: str) -> Path:
        """The directory of the files that an agent's `files` ask for."""
        ...

    def setup(self, workspace: str) -> Path:
        """What is remembered of the preparation of the workspace of that name."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """The machine that an executor works on: the repository there, the files of each run by its id, the
    clock (aware, of any zone), and the environment whose variables profiles pass to agents."""

    repo: Path
    files: Callable[[str], RunFiles]
    now: Callable[[], datetime]
    environment: Mapping[str, str]
