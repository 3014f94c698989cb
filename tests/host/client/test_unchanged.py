"""A host that is upgraded during a run is another host: no call of the run goes to it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.host.model import HostRefused
from kitty_run.host.transport.start import RawReply
from kitty_run.host.transport.starters import watched_starter
from kitty_run.host.transport.unchanged import Unchanged
from kitty_run.profile.model import HostConfig

from tests.host.client.desk import Desk, refusal


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "real").mkdir()
    (tmp_path / "bin").mkdir()
    real = tmp_path / "real" / "spec-kitty"
    real.write_text('#!/bin/sh\necho called >> "$0.log"\n', encoding="utf-8")
    real.chmod(0o755)
    (tmp_path / "bin" / "spec-kitty").symlink_to(real)
    return real


def installed_anew(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    script.unlink()
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)


def led_elsewhere(script: Path) -> None:
    other = script.with_name("other")
    other.write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
    other.chmod(0o755)
    link = script.parent.parent / "bin" / "spec-kitty"
    link.unlink()
    link.symlink_to(other)


@pytest.mark.parametrize("upgrade", [installed_anew, led_elsewhere, Path.unlink])
def test_a_call_to_another_file_is_not_made(script: Path, upgrade: Callable[[Path], None]) -> None:
    command = str(script.parent.parent / "bin" / "spec-kitty")
    config = HostConfig(command=(command,), start="cold")

    async def nothing() -> None:
        """Nothing is to be looked at besides."""

    async def use() -> None:
        starter = watched_starter(config, {}, nothing)
        await starter.call(("x",), script.parent, 60.0)
        upgrade(script)
        with pytest.raises(HostRefused, match="changed during the run") as caught:
            await starter.call(("x",), script.parent, 60.0)
        assert caught.value.code == "HOST_CHANGED"

    asyncio.run(use())
    log = Path(f"{command}.log")
    assert log.read_text(encoding="utf-8") == "called\n"


def test_what_is_only_touched_by_a_read_is_the_same(script: Path) -> None:
    same = Unchanged((str(script),), os.environ)
    script.read_bytes()
    same.check()


def replied(**envelope: object) -> RawReply:
    whole = {"success": True, "command": "x", "error_code": None, "data": {"ready_work_packages": []}}
    return RawReply(json.dumps({**whole, **envelope}) + "\n", "", 0, 0.1)


def test_a_reply_of_another_contract_is_no_reply_of_this_host(desk: Callable[..., Desk]) -> None:
    at = desk(replied(contract_version="9.9.0"))
    found = refusal(at.client.ready())
    assert found.code == "HOST_CHANGED"
    assert "9.9.0" in str(found)


@pytest.mark.parametrize("version", [None, 7, "banana", ""])
def test_an_envelope_without_a_usable_version_is_taken(desk: Callable[..., Desk], version: object) -> None:
    at = desk(replied(contract_version=version))
    assert asyncio.run(at.client.ready()) == frozenset()
