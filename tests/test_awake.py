"""The machine is kept awake for just as long as agents work, where it can be and its user wants it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run import awake
from kitty_run.awake import Awake, allowed, means
from kitty_run.doctor.finding import State
from kitty_run.doctor.machine import sleep

HOLDS = 'echo "$1" >> {log}; while [ $# -gt 1 ]; do shift; done; "$1"; echo over >> {log}'
"""Says what it is asked for, and runs the command that comes last."""


class Machine:
    """A machine with the commands that a test installs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        self.environment = {"PATH": str(folder)}
        self.install("cat", "exec /bin/cat")

    def install(self, name: str, script: str = HOLDS) -> None:
        file = self.folder / name
        file.write_text(f"#!/bin/sh\n{script.replace('{log}', str(self.log))}\n", encoding="utf-8")
        file.chmod(0o755)

    def said(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").split() if self.log.exists() else []

    async def until(self, seen: Callable[[list[str]], bool]) -> None:
        while not seen(self.said()):
            await asyncio.sleep(0.01)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("name", ["systemd-inhibit", "caffeinate"])
def test_it_is_kept_awake_while_anything_is_at_work(machine: Machine, name: str) -> None:
    machine.install(name)

    async def work() -> None:
        keeper = Awake(machine.environment)
        with keeper.held():
            with keeper.held():
                await machine.until(lambda said: len(said) == 3)  # asked whether it works, and begun
            assert machine.said().count("over") == 1, "one is still at work"
        await machine.until(lambda said: said.count("over") == 2)
        with keeper.held():
            await machine.until(lambda said: len(said) == 5)
        await keeper.close()

    asyncio.run(asyncio.wait_for(work(), 60))
    assert machine.said().count("over") == 3
    assert set(machine.said()) - {"over"} <= {"--what=sleep:idle", "-i"}


def test_what_is_refused_gives_way_to_what_is_allowed(machine: Machine) -> None:
    refusing = '[ "$1" = --what=idle ] || { echo Access denied >&2; exit 1; }'
    machine.install("systemd-inhibit", f"{refusing}\n{HOLDS}")
    found = means(machine.environment)
    assert not isinstance(found, str)
    assert found[1] == "--what=idle"


@pytest.mark.parametrize("script", ["echo Failed to connect to bus >&2; exit 1", "exec /bin/sleep 600", None])
def test_where_it_can_not_be_nothing_fails_or_waits(
    machine: Machine, script: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awake, "PATIENCE", 0.5)
    if script is not None:
        machine.install("systemd-inhibit", script)

    async def work() -> None:
        keeper = Awake(machine.environment)
        for _ in range(2):
            with keeper.held():
                await asyncio.sleep(0)
        await keeper.close()

    asyncio.run(work())
    found = asyncio.run(sleep(machine.environment))
    assert found.state is State.NOTE
    assert ("connect to bus" if script and "bus" in script else "systemd-inhibit") in found.text


@pytest.mark.parametrize("word", ["no", "0", "off", "NO"])
def test_its_user_can_switch_it_off(machine: Machine, word: str) -> None:
    machine.install("caffeinate")
    machine.environment["KITTY_RUN_KEEP_AWAKE"] = word

    async def work() -> None:
        keeper = Awake(machine.environment)
        with keeper.held():
            assert not allowed(machine.environment)
        await keeper.close()

    asyncio.run(work())
    found = asyncio.run(sleep(machine.environment))
    assert (found.state, "KITTY_RUN_KEEP_AWAKE" in found.text) == (State.OK, True)
    assert machine.said() == []


def test_the_doctor_says_by_what(machine: Machine) -> None:
    machine.install("caffeinate")
    found = asyncio.run(sleep(machine.environment))
    assert found.state is State.OK
    assert found.text.startswith("caffeinate keeps the machine awake")


RUNNER = """
import asyncio, os
from kitty_run.awake import Awake

async def work():
    with Awake(dict(os.environ)).held():
        while not os.path.exists({log!r}) or open({log!r}).read().count("-i") < 2:
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), 9)

asyncio.run(work())
"""


def test_the_end_of_the_runner_ends_it_too(machine: Machine) -> None:
    """However it ends: what keeps the machine awake reads from a pipe that only the runner can write to."""
    machine.install("caffeinate")
    script = RUNNER.format(log=str(machine.log))
    subprocess.run([sys.executable, "-c", script], env=machine.environment, check=False)
    asyncio.run(asyncio.wait_for(machine.until(lambda said: said.count("over") == 2), 60))


def test_without_a_path_of_its_own_nothing_is_looked_for() -> None:
    """A simulated run has none: it must start no process of the machine it runs on."""
    assert isinstance(means({}), str)
