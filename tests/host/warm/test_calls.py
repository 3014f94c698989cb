"""What a warm call gets: surroundings of its own, time limits, company."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from kitty_run.host.transport.start import RawReply
from kitty_run.host.transport.warm.starter import WarmStarter

from tests import measured
from tests.host.warm.stubs import Stub, data

pytestmark = pytest.mark.whole


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """Measured: this is about what runs inside of the host."""
    return measured.interpreter(tmp_path)


def test_each_call_is_a_child_of_one_server_with_its_own_surroundings(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> list[dict[str, Any]]:
        return [data(await stub.ask(starter, "whoami")) for _ in range(2)]

    first, second = stub.run(use)
    assert first["parent"] == second["parent"] != os.getpid()
    assert first["pid"] != second["pid"]
    assert first["argv"] == [str(stub.script), "orchestrator-api", "whoami"]
    assert (first["cwd"], first["stdin"]) == (str(stub.folder), "")
    assert stub.notices == []


def test_a_module_imported_by_one_call_is_there_for_the_next(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> list[bool]:
        return [data(await stub.ask(starter, "learn"))["known"] for _ in range(2)]

    assert stub.run(use) == [False, True]


def test_calls_overlap(stub: Stub) -> None:
    os.mkfifo(stub.folder / "pipe")

    async def use(starter: WarmStarter) -> tuple[RawReply, RawReply]:
        calls = (stub.ask(starter, "wait-for", "pipe"), stub.ask(starter, "tell", "pipe"))
        return await asyncio.gather(*calls)

    heard, told = stub.run(use)
    assert data(heard) == {"heard": "hello"}
    assert data(told) == {}


def test_the_time_limit_ends_the_whole_process_group(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> RawReply:
        await stub.ask(starter, "contract-version")
        return await stub.ask(starter, "hang", timeout=3.0)

    reply = stub.run(use)
    assert (reply.status, reply.stdout) == (None, "")
    assert stub.hanging() == []


@pytest.mark.parametrize("words", [("chatter", "stdout"), ("chatter", "stderr"), ("shout",)])
def test_a_call_that_prints_without_end_is_ended_and_the_host_stays_warm(
    stub: Stub, words: tuple[str, ...]
) -> None:
    async def use(starter: WarmStarter) -> tuple[RawReply, dict[str, Any], dict[str, Any]]:
        before = data(await stub.ask(starter, "whoami"))
        reply = await stub.ask(starter, *words)
        return reply, before, data(await stub.ask(starter, "whoami"))

    reply, before, after = stub.run(use)
    assert (reply.status, reply.stdout) == (-9, "")
    assert reply.stderr == "it printed more than 16 MiB, and was ended\n"
    assert before["parent"] == after["parent"]


def test_a_cancelled_call_is_ended(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> None:
        await stub.ask(starter, "contract-version")
        call = asyncio.create_task(stub.ask(starter, "hang"))
        while not (stub.folder / "pids").exists():
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    stub.run(use)
    assert stub.hanging() == []
