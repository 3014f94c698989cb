"""The command that a host finds first on PATH is answered by the same server."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from kitty_run.host.transport.warm.starter import WarmStarter

from tests import measured
from tests.host.warm.stubs import Stub, data

pytestmark = pytest.mark.whole


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """Measured: this is about what runs inside of the host."""
    return measured.interpreter(tmp_path)


def test_what_a_call_runs_by_the_hosts_name_is_a_child_of_the_server(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> dict[str, Any]:
        return data(await stub.ask(starter, "nested"))

    reply = stub.run(use)
    inner = reply["inner"]["data"]
    assert inner["parent"] == reply["parent"] != os.getpid()
    assert (inner["stdin"], inner["cwd"]) == ("some input", "/")


def test_it_stays_first_where_the_host_puts_its_own_directory_first(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> dict[str, Any]:
        return data(await stub.ask(starter, "nested", "--real-first"))

    reply = stub.run(use)
    assert reply["inner"]["data"]["parent"] == reply["parent"]


def test_it_ends_with_the_status_of_the_call(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> dict[str, Any]:
        return data(await stub.ask(starter, "nested-failure"))

    assert stub.run(use)["status"] == 2


def test_it_runs_the_real_script_when_the_server_takes_no_more_calls(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> dict[str, Any]:
        await stub.ask(starter, "contract-version")
        return data(await stub.ask(starter, "nested-after-change"))

    reply = stub.run(use)
    assert reply["inner"]["data"]["parent"] == reply["pid"]


def test_its_directory_is_private_and_gone_at_the_end(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> tuple[Path, int]:
        first = Path(data(await stub.ask(starter, "nested"))["path"].split(os.pathsep)[0])
        return first.parent, stat.S_IMODE(first.parent.stat().st_mode)

    room, mode = stub.run(use)
    assert mode == 0o700
    assert not room.exists()


RUNNER = """
import asyncio, sys
from pathlib import Path
from kitty_run.host.transport.cold import ColdStarter
from kitty_run.host.transport.warm.starter import WarmStarter

async def main(script):
    starter = WarmStarter((script,), {}, ColdStarter((script,), {}), print)
    reply = await starter.call(("orchestrator-api", "nested"), Path(script).parent, 60.0)
    print(reply.stdout, flush=True)
    await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


def test_nothing_is_left_of_a_killed_runner(stub: Stub) -> None:
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(stub.script)], stdout=subprocess.PIPE, text=True
    )
    assert runner.stdout is not None
    line = runner.stdout.readline()
    (server,) = psutil.Process(runner.pid).children()
    runner.send_signal(signal.SIGKILL)
    runner.communicate()
    gone, alive = psutil.wait_procs([server], timeout=30)
    room = Path(json.loads(line)["data"]["path"].split(os.pathsep)[0]).parent
    assert (gone, alive) == ([server], [])
    assert not room.exists()
