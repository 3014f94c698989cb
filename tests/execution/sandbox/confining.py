"""Agents, policies and places that are confined by a real bubblewrap, for the tests of this room."""

from __future__ import annotations

import asyncio
import os
import pwd
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kitty_run.agents.launch.argv import Command, build
from kitty_run.agents.launch.prompts import variables
from kitty_run.agents.model import Denial, Exit
from kitty_run.execution.egress.allowed_hosts import Resolve, system_resolve
from kitty_run.execution.processes import LocalProcesses
from kitty_run.execution.sandbox.confine import Place, confine
from kitty_run.execution.sandbox.for_checks import CheckSandbox
from kitty_run.execution.sandbox.way_out import way_out
from kitty_run.profile.limits import Resources
from kitty_run.profile.model import Agent, Extra, Policy, RoleName

from tests.agents.making import POLICY, agent, context
from tests.execution.launching import launch, no_denial, no_note, run

BY_RUNNER = Extra(runner=True)
UNLIMITED = Resources()
KEPT = {
    "sandbox_mode": {"workspace_write": BY_RUNNER, "read_only": BY_RUNNER, "none": Extra()},
    "network_mode": {"none": BY_RUNNER, "allowlist": BY_RUNNER, "open": Extra()},
    "approval_mode": {"supervised": Extra()},
}


def unconfined(workspace: Path) -> CheckSandbox:
    """No sandbox: the agent's own command line keeps the policy."""
    return CheckSandbox(agent(), POLICY, (), workspace, system_resolve, no_denial)


def repository(tmp_path: Path) -> Path:
    """A repository with the linked worktree `.worktrees/wp`, a home beside it, and the run's state."""
    repo, home = tmp_path / "repo", tmp_path / "home"
    worktree = repo / ".worktrees" / "wp"
    (repo / ".git" / "worktrees" / "wp").mkdir(parents=True)
    (worktree / "kitty-specs").mkdir(parents=True)
    (worktree / ".git").write_text(f"gitdir: {repo}/.git/worktrees/wp\n")
    (repo / ".kitty-run").mkdir()
    (repo / ".kitty-run" / "journal").write_text("events")
    for name in (".ssh/id", ".agent/session", ".bash_history", ".npmrc", ".other-agent/login"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("private")
    return repo


def policy(sandbox: str = "workspace_write", network: str = "none") -> Policy:
    axes = {"approval_mode": "supervised", "sandbox_mode": sandbox, "network_mode": network}
    return Policy("kitty-run", "1", None, axes)


def robo(argv: tuple[str, ...] = ("robo",), **changes: Any) -> Agent:
    """An agent that leaves everything to the runner."""
    fields: dict[str, Any] = {"args": (), "enforce": KEPT, "sandbox": "bubblewrap", "home": (".agent",)}
    return agent(command=argv, **{**fields, **changes})


def environment(repo: Path) -> Mapping[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(repo.parent / "home")}


def confined(
    repo: Path,
    argv: tuple[str, ...],
    kept: Policy,
    role: RoleName = "implement",
    resources: Resources = UNLIMITED,
    **more: Any,
) -> tuple[Command, Mapping[str, str]]:
    """The command of an agent `argv` in the sandbox; `more` is of its `Place`."""
    workspace, env = repo / ".worktrees" / "wp", environment(repo)
    one = robo(argv, resources=resources)
    known = variables(context(workspace, role=role), one, kept)
    command = build(one, role, kept, known, repo / "p", None, repo / "files")
    return confine(command, one, role, kept, env, Place(workspace, **more)), env


def inside(repo: Path, code: str, *arguments: str, kept: Policy | None = None, **more: Any) -> Exit:
    """How Python code ended that ran as an agent inside."""
    command, env = confined(repo, (sys.executable, "-c", code, *arguments), kept or policy(), **more)
    return run(launch(repo.parent, "", argv=command.argv, cwd=repo / ".worktrees" / "wp", env=env))


def as_another_user(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """What goes before a command so that it does not run as root: as a user who then owns all in `folder`."""
    if os.geteuid() != 0:
        return ()
    other = pwd.getpwnam("daemon")
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, other.pw_uid, other.pw_gid)
    monkeypatch.setattr(os, "geteuid", lambda: other.pw_uid)
    return ("setpriv", f"--reuid={other.pw_uid}", f"--regid={other.pw_gid}", "--clear-groups")


@dataclass
class Names:
    """The test's own resolver, and what was refused."""

    known: Mapping[str, tuple[str, ...]]
    asked: list[str] = field(default_factory=list)
    denials: list[Denial] = field(default_factory=list)

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append(host)
        if host not in self.known:
            raise OSError("no such name")
        return self.known[host]

    async def denied(self, denial: Denial) -> None:
        self.denials.append(denial)


def let_out(repo: Path, code: str, *arguments: str, names: Names, allow: Iterable[str]) -> Exit:
    """How Python code ended that ran as an agent inside, which reaches `allow` by a gateway."""
    kept, resolve = policy(network="allowlist"), names.resolve

    async def running() -> Exit:
        async with way_out(robo(), kept, allow, resolve, names.denied) as out:
            argv = (sys.executable, "-c", code, *arguments)
            command, env = confined(repo, argv, kept, way_out=out)
            cwd = repo / ".worktrees" / "wp"
            one = launch(repo.parent, "", argv=command.argv, cwd=cwd, env=env)
            return await LocalProcesses().run(one, no_note)

    return asyncio.run(running())


def resolving(**known: str) -> Resolve:
    """A resolver that knows the given names, each by one address."""
    return Names({name: (address,) for name, address in known.items()}).resolve
