"""Daemons that fork twice, in a session of their own and without environment, end with their attempt."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from kitty_run.agents.model import Started
from kitty_run.execution.checks import run_checks
from kitty_run.execution.processes import LocalProcesses, end_leftovers
from kitty_run.profile.model import Check

from tests import measured
from tests.execution.launching import launch, no_note, run
from tests.execution.sandbox.confining import unconfined

pytestmark = pytest.mark.whole

DAEMON = """
import os, sys, time
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir({place!r})
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    code = (
        "import os, signal, sys, time\\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
        "open(sys.argv[1], 'w').write(str(os.getpid()))\\n"
        "os.close(int(sys.argv[2]))\\n"
        "time.sleep(120)"
    )
    os.set_inheritable(writer, True)
    argv = [sys.executable, "-I", "-S", "-c", code, {pid_file!r}, str(writer)]
    os.execve(sys.executable, argv, {{}})
os.close(writer)
os.read(reader, 1)  # until the daemon has written its number
{then}
"""
KILL_SUPERVISOR = "import signal; os.kill(os.getppid(), signal.SIGKILL)"


@pytest.fixture(autouse=True)
def supervisor(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Supervisors are measured here."""
    python = measured.interpreter(tmp_path_factory.mktemp("python"))
    monkeypatch.setattr(sys, "executable", str(python))


@pytest.fixture
def pid_file(tmp_path: Path) -> Path:
    return tmp_path / "daemon.pid"


def agent(pid_file: Path, then: str = "", place: str = "/") -> str:
    """An agent that leaves a daemon in `place`, then does what `then` says."""
    return DAEMON.format(pid_file=str(pid_file), then=then, place=place)


def lives(pid_file: Path) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(int(pid_file.read_text())).status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize(
    ("then", "ending"),
    [
        ("", "exit"),
        ("sys.exit(3)", "exit"),
        ("time.sleep(60)", "timeout"),
        ("os.kill(os.getpid(), 9)", "signal"),
        (KILL_SUPERVISOR, "signal"),
    ],
)
def test_a_daemon_ends_with_the_attempt_however_that_ends(
    tmp_path: Path, pid_file: Path, then: str, ending: str
) -> None:
    place = "." if then == KILL_SUPERVISOR else "/"
    ended = run(launch(tmp_path, agent(pid_file, then, place), timeout=3.0))
    assert ended.ending == ending
    assert ended.status == {"": 0, "sys.exit(3)": 3}.get(then)
    assert pid_file.exists()
    assert not lives(pid_file)


def test_a_daemon_ends_with_an_attempt_that_is_cancelled(tmp_path: Path, pid_file: Path) -> None:
    async def scenario() -> None:
        running = asyncio.create_task(
            LocalProcesses().run(
                launch(tmp_path, agent(pid_file, "print(1, flush=True); time.sleep(60)")), no_note
            )
        )
        while not (tmp_path / "out.log").exists() or not (tmp_path / "out.log").read_text():
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(scenario())
    assert not lives(pid_file)


@pytest.mark.parametrize(("then", "passed"), [("", True), ("sys.exit(1)", False)])
def test_a_daemon_of_a_check_ends_with_it(tmp_path: Path, pid_file: Path, then: str, passed: bool) -> None:
    check = Check(name="tests", command=(sys.executable, "-c", agent(pid_file, then)), timeout=20.0)
    checking = run_checks(
        (check,), LocalProcesses(), unconfined(tmp_path), tmp_path, tmp_path, "run/WP01/checks-1", no_note, {}
    )
    (result,) = asyncio.run(checking)
    assert result.passed is passed
    assert pid_file.exists()
    assert not lives(pid_file)


RUNNER = """
import asyncio, sys
from pathlib import Path
from tests.execution.launching import launch
from kitty_run.execution.processes import LocalProcesses
async def note(started):
    print(started.pid, repr(started.created), flush=True)
argv = (sys.executable, *sys.argv[3:], "-c", sys.argv[2])
asyncio.run(LocalProcesses().run(launch(Path(sys.argv[1]), "", argv=argv), note))
"""


def killed_run(tmp_path: Path, script: str, pid_file: Path, *options: str) -> Started:
    """What a runner that was killed with -9 amid an attempt had recorded."""
    argv = [sys.executable, "-c", RUNNER, str(tmp_path), script, *options]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        pid, created = runner.stdout.readline().split()
        wait_for(pid_file)
        os.kill(runner.pid, signal.SIGKILL)
    return Started(int(pid), float(created))


def wait_for(file: Path) -> None:
    async def until_written() -> None:
        while not file.exists() or not file.read_text():
            await asyncio.sleep(0.01)

    asyncio.run(until_written())


def test_a_daemon_of_a_killed_run_is_ended_by_the_next_one(tmp_path: Path, pid_file: Path) -> None:
    started = killed_run(tmp_path, agent(pid_file, "time.sleep(60)"), pid_file)
    assert lives(pid_file)
    assert asyncio.run(end_leftovers([started], [], grace=0.1)) >= 1
    assert not lives(pid_file)


def test_a_daemon_of_a_killed_run_whose_supervisor_is_gone_is_found_by_where_it_works(
    tmp_path: Path, pid_file: Path
) -> None:
    started = killed_run(tmp_path, agent(pid_file, "time.sleep(60)", "."), pid_file)
    os.killpg(started.pid, signal.SIGKILL)
    assert lives(pid_file)
    elsewhere = tmp_path / "elsewhere"
    assert asyncio.run(end_leftovers([started], [], grace=0.1, places=[elsewhere])) == 0
    assert lives(pid_file)
    assert asyncio.run(end_leftovers([started], [], grace=0.1, places=[tmp_path])) == 1
    assert not lives(pid_file)


def test_a_supervisor_without_runner_ends_what_its_agent_leaves(tmp_path: Path, pid_file: Path) -> None:
    until = f"import pathlib\nwhile not pathlib.Path({str(tmp_path / 'go')!r}).exists(): time.sleep(0.01)"
    started = killed_run(tmp_path, agent(pid_file, until), pid_file)
    (tmp_path / "go").touch()
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(started.pid).wait(timeout=30)
    assert not lives(pid_file)


def test_what_ends_with_its_parent_ends_with_the_runner(tmp_path: Path, pid_file: Path) -> None:
    program = tmp_path / "confine"
    program.write_text(f"#!/bin/sh\necho $$ > {pid_file}\nexec sleep 100\n")
    program.chmod(0o755)
    script = RUNNER.replace('(sys.executable, *sys.argv[3:], "-c", sys.argv[2])', "tuple(sys.argv[2:])")
    argv = [sys.executable, "-c", script, str(tmp_path), str(program), "--die-with-parent"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        supervisor = psutil.Process(int(runner.stdout.readline().split()[0]))
        wait_for(pid_file)
        os.kill(runner.pid, signal.SIGKILL)
    try:
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor.wait(timeout=30)
    finally:
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
