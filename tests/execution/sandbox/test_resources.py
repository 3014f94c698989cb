"""What one attempt may use, held by the kernel in a real sandbox; and where it can't be held."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kitty_run.errors import LaunchError
from kitty_run.execution.processes import LocalProcesses
from kitty_run.execution.sandbox.confine import unheld_resources
from kitty_run.execution.sandbox.resources import limited
from kitty_run.profile.limits import Resources
from kitty_run.profile.load import load
from kitty_run.profile.validation.problems import ProfileInvalid

from tests.agents.making import POLICY, agent
from tests.execution import bubblewrap
from tests.execution.launching import launch, no_note
from tests.execution.sandbox import confining
from tests.execution.sandbox.confining import as_another_user, confined, policy, robo

MIB = 2**20
HUNGRY = """
try:
    held = bytearray(3 * 2**30)
    print("held", len(held))
except MemoryError:
    print("no memory")
with open("/tmp/large", "wb") as file:
    try:
        for _ in range(300):
            file.write(bytes(2**20))
            file.flush()
        print("written")
    except OSError as error:
        print(error.strerror)
"""
BOMB = """
import os, signal, time
started = []
try:
    while len(started) < 2000:
        child = os.fork()
        if child == 0:
            signal.pause()
        started.append(child)
except OSError as error:
    print(error.strerror, len(started))
"""
FILES = """
import os
opened = []
try:
    while len(opened) < 5000:
        opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(error.strerror, len(opened) < 100)
for file in opened:
    os.close(file)
try:
    with open("large", "wb") as file:
        for _ in range(64):
            file.write(bytes(2**20))
            file.flush()
except OSError as error:
    print(error.strerror, os.path.getsize("large"))
"""


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PATH", f"{bubblewrap.directory()}:/usr/bin:/bin")
    with tempfile.TemporaryDirectory(prefix="resources-") as folder:
        yield confining.repository(Path(folder))


def said(repo: Path, code: str, resources: Resources, as_user: tuple[str, ...] = ()) -> list[str]:
    """What Python code printed that ran inside with `resources`."""
    command, env = confined(repo, ("/usr/bin/python3", "-c", code), policy(), resources=resources)
    cwd = repo / ".worktrees" / "wp"
    one = launch(repo.parent, "", argv=(*as_user, *command.argv), cwd=cwd, env=env, timeout=60.0)
    ended = asyncio.run(LocalProcesses().run(one, no_note))
    assert ended.ending == "exit", ended.stderr.read_text()
    return ended.stdout.read_text().splitlines()


def test_memory_is_bounded_and_temporary_files_with_it(repository: Path) -> None:
    lines = said(repository, HUNGRY, Resources(memory=128 * MIB))
    assert lines == ["no memory", "No space left on device"]


def test_a_fork_bomb_ends_at_its_own_number(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user = as_another_user(repository.parent, monkeypatch)
    [line] = said(repository, BOMB, Resources(processes=40), as_user)
    words, number = line.rsplit(" ", 1)
    assert words == "Resource temporarily unavailable"
    assert 20 < int(number) < 40


def test_open_files_and_their_size_are_bounded(repository: Path) -> None:
    limits = Resources(open_files=64, file_size=10 * MIB)
    assert said(repository, FILES, limits) == ["Too many open files True", f"File too large {10 * MIB}"]


def test_what_cannot_be_held_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    many, confined_one = Resources(processes=40), robo(resources=Resources(processes=40))
    assert "can't be held for root" in str(unheld_resources(confined_one, policy()))
    with pytest.raises(LaunchError, match="can't be held for root"):
        limited(many)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unheld_resources(confined_one, policy()) is None
    free = agent(resources=Resources(memory=MIB))
    assert "in the runner's sandbox only" in str(unheld_resources(free, POLICY))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install the package util-linux" in str(unheld_resources(confined_one, policy()))


def test_a_profile_says_what_an_attempt_may_use(tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    text = "version: 1\nextends: ['preset:pi']\nagents: {{pi: {{resources: {}}}}}\n"
    path.write_text(text.format("{memory: 8GiB, processes: 512, open_files: 4096, file_size: 500MB}"))
    assert load(path).profile.agents["pi"].resources == Resources(8 * 2**30, 512, 4096, 500_000_000)
    path.write_text(text.format("{memory: 8 gigs}"))
    with pytest.raises(ProfileInvalid, match=r"'8 gigs' is no size.*like 8GiB"):
        load(path)
