"""Where the warm starter goes back to cold calls: said once, nothing lost."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from kitty_run.errors import HostError
from kitty_run.host.transport.start import RawReply
from kitty_run.host.transport.warm.starter import WarmStarter

from tests.host.warm.odd import ODD
from tests.host.warm.stubs import SOURCE, Stub, data

pytestmark = pytest.mark.whole


@pytest.mark.parametrize(("text", "reason"), ODD.values(), ids=ODD)
def test_an_odd_host_is_started_anew_for_each_call(stub: Stub, text: str, reason: str) -> None:
    other = stub.script.rename(stub.folder / "other-host")
    stub.write(text.replace("@python@", str(stub.interpreter)).replace("@other@", str(other)))

    async def use(starter: WarmStarter) -> list[tuple[int | None, str]]:
        replies = [await stub.ask(starter, "whoami") for _ in range(2)]
        return [(reply.status, without_pid(reply.stdout)) for reply in replies]

    cold = asyncio.run(stub.ask(stub.cold(), "whoami"))
    assert stub.run(use) == [(cold.status, without_pid(cold.stdout))] * 2
    assert len(stub.notices) == 1
    assert reason in stub.notices[0]


def without_pid(text: str) -> str:
    return re.sub(r'"pid": \d+', "", text)


def test_a_command_of_more_than_one_word_is_started_anew_for_each_call(stub: Stub) -> None:
    command = (str(stub.interpreter), str(stub.script))

    async def use(starter: WarmStarter) -> RawReply:
        return await stub.ask(starter, "whoami")

    assert data(stub.run(use, command))["parent"] == os.getpid()
    assert len(stub.notices) == 1
    assert "is not a console script alone" in stub.notices[0]


def test_a_missing_host_is_an_error_and_no_notice(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> RawReply:
        return await stub.ask(starter, "whoami")

    with pytest.raises(HostError, match="was not found"):
        stub.run(use, ("no-such-host",))
    assert stub.notices == []


def test_a_mutating_call_is_not_repeated_when_its_server_dies(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> tuple[RawReply, RawReply]:
        return await stub.ask(starter, "die"), await stub.ask(starter, "whoami")

    lost, after = stub.run(use)
    assert lost.stdout == ""
    assert lost.status not in {0, None}
    assert stub.log() == ["die", "whoami"]
    assert data(after)["parent"] == os.getpid()
    assert len(stub.notices) == 1
    assert "died" in stub.notices[0]


def test_a_read_is_repeated_when_its_server_dies(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> RawReply:
        await stub.ask(starter, "contract-version")
        (stub.folder / "killer").touch()
        return await stub.ask(starter, "list-ready")

    assert data(stub.run(use))["parent"] == os.getpid()
    assert stub.log() == ["list-ready", "list-ready"]
    assert len(stub.notices) == 1


def test_a_changed_script_is_started_anew_while_calls_under_way_go_on(stub: Stub) -> None:
    os.mkfifo(stub.folder / "pipe")

    async def use(starter: WarmStarter) -> list[dict[str, Any]]:
        await stub.ask(starter, "contract-version")
        under_way = asyncio.create_task(stub.ask(starter, "wait-for", "pipe"))
        os.close(await asyncio.to_thread(os.open, stub.folder / "pipe", os.O_WRONLY))
        stub.write_python(SOURCE + "\n# another version\n")
        replies = [data(await stub.ask(starter, "whoami")) for _ in range(2)]
        return [*replies, data(await under_way)]

    first, second, under_way = stub.run(use)
    assert first["parent"] == second["parent"] == os.getpid()
    assert under_way == {"heard": ""}
    assert len(stub.notices) == 1
    assert f"{stub.script} changed" in stub.notices[0]


def test_an_upgraded_package_is_started_anew(stub: Stub, tmp_path: Path) -> None:
    python, site = environment(tmp_path / "venv", stub.interpreter)
    record = site / "stub_host-1.0.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text("stub_host.py,,\n", encoding="utf-8")
    stub.write(f"#!{python}\n{SOURCE}")

    async def use(starter: WarmStarter) -> list[int]:
        before = data(await stub.ask(starter, "whoami"))["parent"]
        record.parent.rename(site / "stub_host-1.1.dist-info")
        return [before, data(await stub.ask(starter, "whoami"))["parent"]]

    before, after = stub.run(use)
    assert before != after == os.getpid()
    assert f"{record} changed" in stub.notices[0]


def environment(folder: Path, interpreter: Path) -> tuple[Path, Path]:
    """A virtual environment with all that `interpreter` has: its python and its directory for packages."""
    run([str(interpreter), "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (packages,) = interpreter.parent.parent.glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(f"{packages}\n", encoding="utf-8")
    return folder / "bin" / "python", site


def test_a_command_that_the_server_lacks_is_found_before_it_is_called_and_is_cold(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> tuple[list[str], RawReply, RawReply]:
        await stub.ask(starter, "whoami")
        await starter.prepare(("orchestrator-api", "agent"), stub.folder, 60.0)
        told = list(stub.notices)
        unknown = await starter.call(("agent", "tasks"), stub.folder, 60.0)
        return told, unknown, await stub.ask(starter, "whoami")

    told, unknown, known = stub.run(use)
    assert len(told) == 1
    assert "Calls of `agent` are started anew" in told[0]
    assert stub.notices == told, "it is said once"
    assert unknown.status == 2
    assert data(known)["parent"] != os.getpid(), "the others stay warm"


def test_nothing_is_asked_of_a_server_that_was_given_up(stub: Stub) -> None:
    async def use(starter: WarmStarter) -> None:
        await starter.prepare(("agent",), stub.folder, 60.0)

    stub.run(use)
    assert stub.notices == []
