"""Children are ended with their whole group, and in one way."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import psutil
from kitty_run.process_group import end_group, signal_group

from tests.hosts import CHECKOUT

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); "
WITH_CHILD = (
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(child.pid, flush=True); time.sleep(60)"
)
TIDY = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7));"
    "print('ready', flush=True); time.sleep(60)"
)


async def start(script: str) -> tuple[Process, str]:
    """The started script in a session of its own, and its first line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=PIPE, start_new_session=True
    )
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode().strip()


async def ended(script: str, grace: float = 0.0) -> tuple[int | None, str]:
    """The end of the script, and its first line."""
    process, line = await start(script)
    await end_group(process, grace)
    return process.returncode, line


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_ends_with_what_it_started() -> None:
    status, pid = asyncio.run(ended(WITH_CHILD))
    assert status == -signal.SIGKILL
    while lives(int(pid)):  # it was killed with the group; its end may come a moment later
        pass


def test_with_a_grace_it_may_tidy_up() -> None:
    assert asyncio.run(ended(TIDY, grace=20)) == (7, "ready")


def test_what_ignores_the_request_is_killed_after_the_grace() -> None:
    assert asyncio.run(ended(f"{DEAF}time.sleep(60)", grace=0.1)) == (-signal.SIGKILL, "ready")


def test_what_has_ended_is_left_alone() -> None:
    async def twice() -> int | None:
        process, _ = await start("print('done')")
        await process.wait()
        await end_group(process, 60)
        return process.returncode

    assert asyncio.run(twice()) == 0


def test_a_process_without_a_group_of_its_own_is_signalled_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        assert signal_group(child.pid, signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert not signal_group(child.pid, signal.SIGKILL)


def test_nobody_else_ends_groups() -> None:
    package = CHECKOUT / "runner" / "kitty_run"
    found = {
        path.relative_to(package) for path in package.rglob("*.py") if "killpg" in path.read_text("utf-8")
    }
    inside_the_host = Path("host/transport/warm/inside/warm_call.py")  # no kitty_run there
    assert found == {Path("process_group.py"), inside_the_host}
