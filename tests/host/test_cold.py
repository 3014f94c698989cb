"""A host call as a process of its own: a time limit that ends the group, a clean environment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from kitty_run.errors import HostError
from kitty_run.host.transport.cold import ColdStarter
from kitty_run.host.transport.start import RawReply
from kitty_run.host.transport.starters import starter
from kitty_run.profile.model import HostConfig

LONG = 60.0


def call(script: Path, *arguments: str, timeout: float = LONG, **env: str) -> RawReply:
    cold = ColdStarter((str(script), "--own"), {"PATH": os.environ["PATH"], **env})
    return asyncio.run(cold.call(arguments, script.parent, timeout))


@pytest.fixture
def host(tmp_path: Path) -> Path:
    return tmp_path / "bin" / "spec-kitty"


def write(host: Path, body: str) -> Path:
    host.parent.mkdir(exist_ok=True)
    host.write_text(f"#!{sys.executable}\nimport os, subprocess, sys, time\n{body}\n")
    host.chmod(0o755)
    return host


def test_argv_working_directory_and_texts_come_through(host: Path) -> None:
    write(
        host,
        "print(sys.argv[1:], os.getcwd())",
    )
    reply = call(host, "a b", "--x")
    assert reply.stdout == f"['--own', 'a b', '--x'] {host.parent}\n"
    assert reply.status == 0
    assert reply.seconds > 0


def test_output_that_is_no_utf8_is_replaced(host: Path) -> None:
    write(host, "sys.stdout.buffer.write(b'\\xff{}')")
    assert call(host).stdout == "�{}"


@pytest.mark.parametrize(
    ("body", "status"), [("sys.exit(3)", 3), ("os.kill(os.getpid(), 15)", -signal.SIGTERM)]
)
def test_the_exit_status_or_signal_comes_through(host: Path, body: str, status: int) -> None:
    assert call(write(host, body)).status == status


def test_there_is_nothing_on_standard_input(host: Path) -> None:
    assert call(write(host, "print(repr(sys.stdin.read()))")).stdout == "''\n"


def test_the_environment_is_that_of_a_host_call(host: Path) -> None:
    write(host, "print(*(os.environ.get(n) for n in sys.argv[2:]), sep='|')")
    names = ("SPEC_KITTY_ENABLE_SAAS_SYNC", "SPECIFY_REPO_ROOT", "NO_COLOR", "OWN")
    reply = call(host, *names, SPECIFY_REPO_ROOT="/elsewhere", OWN="kept")
    assert reply.stdout == "0|None|1|kept\n"
    assert call(host, names[0], SPEC_KITTY_ENABLE_SAAS_SYNC="1").stdout == "1\n"


def test_plain_spec_kitty_is_this_host_for_what_it_starts(host: Path) -> None:
    write(host, "print(os.environ['PATH'].split(os.pathsep)[0])")
    assert call(host).stdout.strip() == str(host.parent)


def test_the_time_limit_ends_the_whole_group(host: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    write(
        host,
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "print('half', flush=True)\ntime.sleep(300)",
    )
    reply = call(host, timeout=3.0)
    assert (reply.status, reply.stdout) == (None, "half\n")
    assert all(_ends(int(pid)) for pid in pids.read_text().split())


def test_a_process_left_behind_does_not_hold_the_reply_up(host: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    write(
        host,
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\nprint('done')",
    )
    try:
        assert call(host).stdout == "done\n"
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_cancelled_call_ends_its_process_first(host: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    write(host, f"open({str(pid)!r} + '.new', 'w').write(str(os.getpid()))\n"
                f"os.rename({str(pid)!r} + '.new', {str(pid)!r})\ntime.sleep(300)")  # fmt: skip

    async def go() -> None:
        cold = ColdStarter((str(host),), os.environ)
        task = asyncio.create_task(cold.call((), tmp_path, LONG))
        while not pid.exists():
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(go())
    assert _ends(int(pid.read_text()))


def test_a_command_that_is_not_there_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="pipx install spec-kitty-cli"):
        call(tmp_path / "spec-kitty")
    for start in ("cold", "warm"):
        with pytest.raises(HostError, match="`no-such-host` was not found"):
            starter(HostConfig(command=("no-such-host",), start=start))


def test_a_command_that_cannot_be_started_says_why(host: Path) -> None:
    write(host, "").write_text("#!/no/such/interpreter\n")
    with pytest.raises(HostError, match="cannot be started"):
        call(host)


def _ends(pid: int) -> bool:
    """Whether `pid` is gone, or going: a signal takes effect a moment after it was sent."""
    try:
        psutil.Process(pid).wait(LONG)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_a_reply_without_end_is_ended(host: Path) -> None:
    write(host, "while True: os.write(1, b'x' * 65536)")
    reply = call(host)
    assert (reply.stdout, reply.status) == ("", -signal.SIGKILL)
    assert "more than 16 MiB" in reply.stderr
