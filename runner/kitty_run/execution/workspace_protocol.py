"""What crosses the executor's door about workspaces: which one, how it is prepared, and what came of that."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kitty_run.agents.model import AttemptFacts, CheckResult, Denial, Started
from kitty_run.profile.limits import LOG_MB, MEGABYTE
from kitty_run.profile.model import Agent, Policy
from kitty_run.profile.workspace import SetupStep, WorkspaceConfig


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """Which workspace, and what it holds at the start.

    `name` is its path relative to the repository's root. `head` is the commit that is checked out on
    `branch` (None: detached), `tree` the git tree of all that is in it, uncommitted files included; both
    are objects of the repository.
    """

    name: str
    branch: str | None
    head: str
    tree: str


def workspace_name(repo: Path, workspace: Path) -> str:
    """The name of the directory `workspace` of the repository at `repo`."""
    return os.path.relpath(workspace, os.path.realpath(repo))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What an executor is handed of all that it runs for an attempt, in whose workspace.

    `allow` are hosts that the profile lets through. Of each output at most `log_limit` bytes are kept.
    """

    attempt: AttemptFacts
    workspace: WorkspaceState
    agent: Agent
    policy: Policy
    allow: tuple[str, ...] = ()
    log_limit: int = LOG_MB * MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupSpec(Spec):
    """How the workspace of an attempt, or of its checks, is to be prepared or ended; what runs is confined as
    checks of what `agent` does are."""

    config: WorkspaceConfig

    @property
    def marker(self) -> str:
        """What every process of this setup carries in its environment."""
        return f"{self.attempt.run_id}/{self.attempt.wp}/setup-{self.attempt.name}"


@dataclass(frozen=True, slots=True)
class SetupResult:
    """What was done to prepare a workspace; nothing where it was prepared before, and nothing changed since.

    `steps` are the commands that ran, in order: none after one that failed. `copied` are files. `put_back`
    are files that git tracks, which the commands changed and which are as before again. `left` are new paths
    that git is not to see, with fingerprints (of directories, which end with a slash, an empty one);
    `here`: they are in the workspace itself. `refused` says why nothing could be begun, or what can't be kept
    apart; None: nothing.
    """

    steps: tuple[CheckResult, ...] = ()
    copied: tuple[str, ...] = ()
    put_back: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)
    here: bool = True
    refused: str | None = None

    @property
    def failed(self) -> CheckResult | None:
        """The command that failed."""
        return next((step for step in self.steps if not step.passed), None)


class SetupObserver(Protocol):
    """What the engine does while a workspace is prepared. An error of a call ends the command that runs."""

    async def begun(self, step: SetupStep, log: Path) -> None:
        """Called before a command is started; `log` is on the engine's machine."""
        ...

    async def started(self, process: Started) -> None:
        """Called when its process has started, so that a later run can find it."""
        ...

    async def denied(self, denial: Denial) -> None:
        """Called when it was refused a connection."""
        ...

    async def ended(self, step: CheckResult) -> None:
        """Called when it has ended."""
        ...
