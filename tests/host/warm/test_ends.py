"""A warm call comes to its end as a cold one does, whichever way its script ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.host.transport.start import RawReply
from kitty_run.host.transport.warm.starter import WarmStarter

from tests import measured
from tests.host.warm.stubs import Stub

pytestmark = pytest.mark.whole


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """Measured: this is about what runs inside of the host."""
    return measured.interpreter(tmp_path)


WAYS = ("return", "none", "0", "3", "-1", "256", "a message", "error", "lost")


@pytest.mark.parametrize("how", WAYS)
def test_what_is_left_to_the_end_of_a_script_is_done(stub: Stub, how: str) -> None:
    async def use(starter: WarmStarter) -> tuple[RawReply, str]:
        reply = await stub.ask(starter, "end", "--", how)
        return reply, _note(stub)

    async def use_cold(_: WarmStarter) -> tuple[RawReply, str]:
        return await stub.ask(stub.cold(), "end", "--", how), _note(stub)

    warm, note = stub.run(use)
    cold, cold_note = stub.run(use_cold)
    assert (warm.status, warm.stdout, note) == (cold.status, cold.stdout, cold_note)
    assert note == "left open"
    assert warm.stderr.splitlines()[-1:] == cold.stderr.splitlines()[-1:]
    assert stub.notices == []


def _note(stub: Stub) -> str:
    file = stub.folder / "note"
    text = file.read_text()
    file.unlink()
    return text
