"""One run of a preset's exact command line against the mock service, and what came of it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kitty_run.agents.launch.argv import Command, write_private
from kitty_run.agents.launch.environment import environment
from kitty_run.agents.model import Denial, Exit, Launch, Outcome
from kitty_run.agents.results.outcome import classify
from kitty_run.execution.processes import LocalProcesses
from kitty_run.execution.sandbox import bubblewrap
from kitty_run.execution.sandbox.confine import Place, confine
from kitty_run.execution.sandbox.way_out import way_out
from kitty_run.profile.model import Agent, Profile

from tests.execution.launching import no_note
from tests.real_agents.cases import Case
from tests.real_agents.catalog import Mock
from tests.real_agents.installing import Installed
from tests.real_agents.presets import PROMPT, Preset, command_line
from tests.real_agents.protocols import Call
from tests.real_agents.service import DONE, VERDICT, Reply, service

BY_NAME = "mock.example"
"""The mock service's name, where one reaches it by a proxy."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a run: `wrote` the file, `left` names in the workspace, `reached` the network."""

    outcome: Outcome
    agent: Agent
    wrote: bool
    left: tuple[str, ...]
    reached: bool
    resumed: bool
    confined: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """One case in a folder of its own, with a workspace and a home."""

    preset: Preset
    mock: Mock
    cli: Installed
    folder: Path
    case: Case

    def run(self) -> Seen:
        """Run it to its end."""
        profile = self.profile
        agent = profile.agents[self.preset.family]
        _make_workspace(self.folder)
        with (
            socket.create_server(("127.0.0.1", 0)) as door,
            service(self.case.scenario, self._reply(door.getsockname()[1])) as address,
        ):
            # A client would not ask a proxy for an address of loopback.
            url = address.replace("127.0.0.1", BY_NAME) if self.case.network == "allowlist" else address
            self._prepare(url)
            command, end = self._launch(profile, url, None)
            outcome = first = self._outcome(agent, end)
            if self.case.again and outcome.session:
                command, end = self._launch(profile, url, outcome.session)
                outcome = self._outcome(agent, end)
            reached = _knocked(door)
        return Seen(
            outcome=outcome,
            agent=agent,
            wrote=self._target.exists(),
            left=_left(self.folder / "ws"),
            reached=reached,
            resumed=outcome is not first and outcome.session == first.session,
            confined=command.argv[0].endswith(bubblewrap.COMMAND),
        )

    def _outcome(self, agent: Agent, end: Exit) -> Outcome:
        """What the end came to, with what the CLI keeps of its session in the home of the run."""
        home = {"HOME": str(self.folder / "home")}
        return classify(agent, end, datetime.now().astimezone(), home)

    @property
    def profile(self) -> Profile:
        """What a run would load."""
        return self.preset.profile(self.folder, self.case.sandbox, self.case.network)

    @property
    def _target(self) -> Path:
        return self.folder / ("outside" if self.case.outside else "ws") / "new.py"

    def _reply(self, port: int) -> Reply:
        names = {"file": str(self._target), "relative": os.path.relpath(self._target, self.folder / "ws")}
        names["command"] = f"python3 -c \"import socket; socket.create_connection(('127.0.0.1', {port}))\""
        asked = self.mock if self.case.reaches is None else self.mock.shell
        arguments = {key: _filled(text, names) for key, text in (asked.arguments if asked else {}).items()}
        call = Call(asked.tool, arguments) if asked and asked.tool else None
        text = VERDICT if self.case.role == "review" else DONE
        return Reply(call, f"{_filled(self.mock.text, names)}\n\n{text}" if self.mock.text else text)

    def _prepare(self, url: str) -> None:
        write_private(self.folder / "prompt.md", PROMPT)
        for name, text in self.mock.config.items():
            write_private(self.folder / "home" / name, _filled(text, {"url": url}))
        for words in self.mock.prepare:
            argv = [str(self.cli.directory / words[0]), *(_filled(word, {"url": url}) for word in words[1:])]
            subprocess.run(argv, cwd=self.folder, env=self._source(url), capture_output=True, check=False)

    def _source(self, url: str) -> dict[str, str]:
        told = {name: _filled(text, {"url": url}) for name, text in self.mock.env.items()}
        return {"PATH": self.cli.path, "HOME": str(self.folder / "home"), "TERM": "dumb", **told}

    def _launch(self, profile: Profile, url: str, session: str | None) -> tuple[Command, Exit]:
        agent, workspace = profile.agents[self.preset.family], self.folder / "ws"
        command = command_line(profile, self.preset.family, self.case.role, self.folder, session)
        command.write_files()
        env = environment(agent.env, command.env, {}, self._source(url))
        env = {name: _filled(text, {"url": url}) for name, text in env.items()}
        prompt = self.folder / "prompt.md"
        turn = "second" if session else "first"

        async def running() -> tuple[Command, Exit]:
            allow = (BY_NAME, "127.0.0.1")
            async with way_out(agent, profile.policy, allow, _resolve, _denied) as out:
                place = Place(workspace, (prompt,), way_out=out)
                inside = confine(command, agent, self.case.role, profile.policy, env, place)
                launch = Launch(
                    argv=inside.argv,
                    cwd=workspace,
                    env=env,
                    stdin=inside.stdin,
                    stdout=self.folder / f"{turn}.out.log",
                    stderr=self.folder / f"{turn}.err.log",
                    timeout=self.case.limit,
                    idle_timeout=None,
                    kill_grace=1.0,
                    marker=f"check-agents:{self.folder}:{turn}",
                )
                return inside, await LocalProcesses().run(launch, no_note)

        return asyncio.run(running())


async def _resolve(host: str, port: int) -> tuple[str, ...]:
    """The service's name alone is known: nothing leaves this machine."""
    if host != BY_NAME:
        raise OSError(f"no such name: {host}")
    return ("127.0.0.1",)


async def _denied(denial: Denial) -> None:
    """What a CLI wants besides its service it does not get."""


def _knocked(door: socket.socket) -> bool:
    """Whether anybody has connected."""
    door.setblocking(False)
    try:
        door.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _make_workspace(folder: Path) -> None:
    """A linked worktree, as a run's workspaces are; beside it a home and a place outside."""
    for name in ("outside", "home"):
        (folder / name).mkdir()
    who = ["-c", "user.name=Check", "-c", "user.email=check@example.com"]
    _git(folder, "init", "-q", "repo")
    _git(folder / "repo", *who, "commit", "-q", "--allow-empty", "-m", "Begin")
    _git(folder / "repo", "worktree", "add", "-q", "../ws")


def _left(workspace: Path) -> tuple[str, ...]:
    """What is new or changed in the workspace."""
    return tuple(line[3:] for line in _git(workspace, "status", "--porcelain").splitlines())


def _git(folder: Path, *arguments: str) -> str:
    argv = ["git", "-C", str(folder), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text
