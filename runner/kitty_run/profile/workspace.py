"""What a worktree needs before an agent can work in it, and what one attempt may do to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kitty_run.profile.durations import seconds


@dataclass(frozen=True, slots=True)
class WorkspaceLimits:
    """What one attempt may change: megabytes of a file and of all changed files, and how many percent of
    all files it may delete (of more than ten)."""

    file_mb: int = 100
    change_mb: int = 500
    deleted_percent: int = 50


@dataclass(frozen=True, slots=True)
class SetupStep:
    """A command that prepares a worktree, of at most `timeout` seconds.

    It runs again where the files that the patterns `inputs` name are others than when it ran.
    """

    name: str
    command: tuple[str, ...]
    timeout: float = 600.0
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkspaceConfig:
    """What is done in a worktree before the agents of `roles` work there, and when nobody needs it any more.

    `copy` are files and directories of the root checkout that git doesn't track, by their path. The steps get
    the variables `env_pass` of the runner's environment and `env_set`, beside those that checks get.
    """

    limits: WorkspaceLimits = field(default_factory=WorkspaceLimits)
    copy: tuple[str, ...] = ()
    setup: tuple[SetupStep, ...] = ()
    teardown: tuple[SetupStep, ...] = ()
    env_pass: tuple[str, ...] = ()
    env_set: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ("implement", "review")

    def wanted(self, role: str) -> bool:
        """Whether anything is to be done before an agent works in `role`."""
        return bool(self.copy or self.setup) and role in self.roles


def workspace_config(workspace: Mapping[str, Any]) -> WorkspaceConfig:
    """The key `workspace` of a resolved profile."""
    env = workspace.get("env", {})
    return WorkspaceConfig(
        limits=WorkspaceLimits(**workspace["limits"]),
        setup=tuple(map(_step, workspace.get("setup", ()))),
        teardown=tuple(map(_step, workspace.get("teardown", ()))),
        env_pass=tuple(env.get("pass", ())),
        env_set=env.get("set", {}),
        **{key: tuple(workspace[key]) for key in ("copy", "roles") if key in workspace},
    )


def _step(step: Mapping[str, Any]) -> SetupStep:
    timeout = {"timeout": seconds(step["timeout"])} if "timeout" in step else {}
    return SetupStep(step["name"], tuple(step["command"]), inputs=tuple(step.get("inputs", ())), **timeout)
