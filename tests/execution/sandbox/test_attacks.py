"""Hostile code inside the sandbox, as an attempt and as a check, as root and as another user."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kitty_run.execution.egress.allowed_hosts import system_resolve
from kitty_run.execution.processes import LocalProcesses
from kitty_run.execution.sandbox.for_checks import CheckSandbox

from tests.execution import bubblewrap
from tests.execution.launching import launch, no_denial, no_note
from tests.execution.sandbox import confining
from tests.execution.sandbox.attack import KEYCTL
from tests.execution.sandbox.confining import as_another_user, confined, environment, policy, robo

ATTACK = Path(__file__).with_name("attack.py")
PYTHON = "/usr/bin/python3"
"""Which every user may start."""
ADD_KEY = {"x86_64": 248, "aarch64": 217}
FILES = (".ssh/id", ".bash_history", ".npmrc", ".other-agent/login", ".agent/session")


@dataclass(frozen=True)
class Outside:
    """What is there for an attacker: a repository with a home beside it, and how to start as whom."""

    repo: Path
    known: dict[str, Any]
    as_user: tuple[str, ...]

    @property
    def workspace(self) -> Path:
        return self.repo / ".worktrees" / "wp"

    def attempt(self, sandbox: str = "workspace_write") -> dict[str, Any]:
        """What an agent got with that `sandbox_mode`, and no network."""
        argv = (PYTHON, "attack.py", json.dumps(self.known))
        command, env = confined(self.repo, argv, policy(sandbox))
        return asyncio.run(self._ended(command.argv, env))

    def check(self) -> dict[str, Any]:
        """What a check of the same agent got."""
        env = environment(self.repo)
        sandbox = CheckSandbox(robo(), policy(), (), self.workspace, system_resolve, no_denial)

        async def running() -> dict[str, Any]:
            async with sandbox.around((PYTHON, "attack.py", json.dumps(self.known)), env) as argv:
                return await self._ended(argv, env)

        return asyncio.run(running())

    async def _ended(self, argv: tuple[str, ...], env: Any) -> dict[str, Any]:
        logs = self.repo.parent
        one = launch(logs, "", argv=(*self.as_user, *argv), cwd=self.workspace, env=env, timeout=60.0)
        ended = await LocalProcesses().run(one, no_note)
        assert ended.status == 0, ended.stderr.read_text()
        found: dict[str, Any] = json.loads(ended.stdout.read_text())
        return found


@pytest.fixture(params=["self", "another user"])
def outside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    monkeypatch.setenv("PATH", f"{bubblewrap.directory()}:/usr/bin:/bin")
    monkeypatch.setenv("THE_RUNNERS_SECRET", "s3cr3t-of-the-runner")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attack-")))
        repo = confining.repository(folder)
        shutil.copy(ATTACK, repo / ".worktrees" / "wp" / "attack.py")
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        by_path, abstract = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        by_path.bind(str(folder / "home" / "agent.sock"))
        by_path.listen()
        abstract.bind(f"\0attack-{os.getpid()}")
        abstract.listen()
        primary, secondary = os.openpty()
        stack.callback(os.close, primary)
        stack.callback(os.close, secondary)
        paths = (*(folder / "home" / name for name in FILES), repo / ".git" / "config", Path("/etc/passwd"))
        known = {
            "pid": str(os.getpid()),
            "files": FILES,
            "paths": [str(path) for path in (*paths, Path("/usr/bin/env"), repo / ".kitty-run" / "journal")],
            "secret": "s3cr3t-of-the-runner",
            "port": str(server.getsockname()[1]),
            "socket": str(folder / "home" / "agent.sock"),
            "abstract": f"attack-{os.getpid()}",
            "key": _session_key(),
        }
        as_user = as_another_user(folder, monkeypatch) if request.param == "another user" else ()
        yield Outside(repo, known, as_user)


def _session_key() -> str:
    """A key in the session keyring that this process hands down."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(KEYCTL[os.uname().machine], 1, 0)  # a new session keyring
    name = f"attack-{os.getpid()}"
    added = libc.syscall(ADD_KEY[os.uname().machine], b"user", name.encode(), b"secret", 6, -3)
    assert added > 0, os.strerror(ctypes.get_errno())
    return name


MISSING = "FileNotFoundError"
REFUSED = {"Operation not permitted", "No space left on device", "Permission denied", "Invalid argument"}


def held(got: dict[str, Any], outside: Outside, login: str) -> None:
    """What must hold of all that an attacker got."""
    assert got["files"] == {**dict.fromkeys(FILES, MISSING), ".agent/session": login}
    own = str(outside.repo.parent / "home" / ".agent" / "session")
    assert set(got["written"]) <= {own, *_made_inside(outside)}
    assert got["proc"] == got["proc/sys"] == got["sys"] == []
    assert got["environments"] == []
    assert got["signal"] == "ProcessLookupError"
    assert got["ptrace"] in {"No such process", *REFUSED}
    assert set(got["namespaces"].values()) <= REFUSED
    assert got["remount"] in REFUSED
    assert got["device"] == "PermissionError"
    assert got["terminal"] == "OSError"
    assert got["terminals"] == []
    assert got["loopback"] == "ConnectionRefusedError"
    assert got["path socket"] == MISSING
    assert got["abstract socket"] == "ConnectionRefusedError"
    assert got["key"] == "Required key not available"
    assert got["disks"] == []
    assert got["user"] != 0
    assert got["capabilities"] == ["0000000000000000"]


def _made_inside(outside: Outside) -> set[str]:
    """Paths of the attacker's own empty home, which are new files inside and leave nothing outside."""
    home = outside.repo.parent / "home"
    return {str(home / name) for name in (".bash_history", ".npmrc")}


def untouched(outside: Outside) -> None:
    home = outside.repo.parent / "home"
    assert {name: (home / name).read_text() for name in FILES} == dict.fromkeys(FILES, "private")
    assert (outside.repo / ".kitty-run" / "journal").read_text() == "events"
    assert stat.S_ISSOCK((home / "agent.sock").stat().st_mode)


def test_an_attempt_gets_nothing_but_its_workspace_and_its_own_login(outside: Outside) -> None:
    held(outside.attempt(), outside, "private")
    untouched(outside)


def test_where_files_are_free_the_network_is_still_held(outside: Outside) -> None:
    got = outside.attempt("none")
    assert got["proc"] == got["proc/sys"] == got["sys"] == got["terminals"] == got["environments"] == []
    assert got["device"] == "PermissionError"
    assert set(got["namespaces"].values()) <= REFUSED
    assert got["loopback"] == got["abstract socket"] == "ConnectionRefusedError"
    assert got["key"] == "Required key not available"
    assert got["disks"] == []


def test_a_check_gets_nothing_but_its_workspace(outside: Outside) -> None:
    held(outside.check(), outside, MISSING)
    untouched(outside)
