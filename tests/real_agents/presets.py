"""The command lines of a preset: for each policy that it keeps, role and kind of session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from kitty_run.agents.launch.argv import Command, build
from kitty_run.agents.launch.prompts import variables
from kitty_run.profile.load import load
from kitty_run.profile.model import Agent, Profile, RoleName
from kitty_run.resources import profiles_dir

from tests.agents.making import context

PRESETS = profiles_dir() / "agents"
ROLES: tuple[RoleName, ...] = ("implement", "review")
DECLARED = ["danger-full-access", "--yes-always"]
"""The bypasses that some preset uses, and that a profile must declare."""

SESSION = "0d6f4c1e-7d55-4a1c-9a63-0c5e8f3b2a10"
"""A session that no CLI knows of."""

SANDBOXES = ("workspace_write", "read_only", "none")
PROMPT = "Write new.py.\n"


@dataclass(frozen=True, slots=True)
class Preset:
    """A family's file; `model` and `set` are what a user's own profile adds to command and environment."""

    family: str
    path: Path
    model: tuple[str, ...] = ()
    set: Mapping[str, str] = field(default_factory=dict)

    @property
    def agent(self) -> Mapping[str, Any]:
        """The agent as the file has it."""
        document = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        found: Mapping[str, Any] = document["agents"][self.family]
        return found

    @property
    def sandboxes(self) -> tuple[str, ...]:
        """The values of `sandbox_mode` that it keeps, the usual one first."""
        return tuple(value for value in SANDBOXES if value in self.agent["enforce"]["sandbox_mode"])

    @property
    def networks(self) -> tuple[str, ...]:
        """The values of `network_mode` that it keeps, the strictest first."""
        listed = self.agent["enforce"]["network_mode"]
        return tuple(value for value in ("none", "allowlist", "open") if value in listed)

    def profile(self, folder: Path, sandbox: str, network: str) -> Profile:
        """What a run would load: the preset under a policy, extended as its user would."""
        own = {"command": [*self.agent["command"], *self.model], "env": {"set": dict(self.set)}}
        policy = {"sandbox_mode": sandbox, "network_mode": network, "dangerous_flags": DECLARED}
        document = {
            "version": 1,
            "extends": [str(self.path)],
            "policy": policy,
            "agents": {self.family: own},
        }
        path = folder / "profile.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return load(path).profile


@dataclass(frozen=True, slots=True)
class Line:
    """One command line of a preset, and the agent that it is of."""

    agent: Agent
    command: Command


def lines(preset: Preset, folder: Path) -> Iterator[Line]:
    """Every command line that the preset can give; those that are alike once."""
    seen = set()
    for sandbox in preset.sandboxes:
        for network in preset.networks:
            profile = preset.profile(folder, sandbox, network)
            for role in ROLES:
                for session in (None, SESSION):
                    command = command_line(profile, preset.family, role, folder, session)
                    if command.argv not in seen:
                        seen.add(command.argv)
                        yield Line(profile.agents[preset.family], command)


def command_line(
    profile: Profile, family: str, role: RoleName, folder: Path, session: str | None = None
) -> Command:
    """The command of one attempt in `folder/ws`, whose prompt is `folder/prompt.md`."""
    agent, prompt = profile.agents[family], folder / "prompt.md"
    made = context(folder / "ws", role=role, session=session)
    known = variables(made, agent, profile.policy, PROMPT, prompt)
    return build(agent, role, profile.policy, known, prompt, session, folder / "files")
