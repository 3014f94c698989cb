"""Which of the client's calls may overlap, and which may not run at all meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.host.client.desk import Desk


@pytest.mark.parametrize(("dialect", "reads_at_once"), [("mission", 4), ("feature", 1)])
def test_calls_overlap_only_where_the_host_can_bear_it(
    desk: Callable[..., Desk], dialect: str, reads_at_once: int
) -> None:
    reading, writing = desk(dialect=dialect), desk(dialect=dialect)

    async def go() -> None:
        await asyncio.gather(*(reading.client.state() for _ in range(4)))
        await asyncio.gather(*(writing.client.note("WP01", "x") for _ in range(4)), writing.client.state())

    asyncio.run(go())
    assert (reading.starter.most, writing.starter.most) == (reads_at_once, 1)


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_no_call_runs_while_the_root_is_to_be_quiet(desk: Callable[..., Desk], dialect: str) -> None:
    here = desk(dialect=dialect)
    seen: list[int] = []

    async def at_root() -> None:
        async with here.client.quiet():
            before = len(here.starter.calls), here.starter.running
            for _ in range(10):
                await asyncio.sleep(0)
            seen.append(here.starter.running)
            assert (len(here.starter.calls), here.starter.running) == before

    async def go() -> None:
        calls = (here.client.state(), here.client.note("WP01", "x"), here.client.state())
        await asyncio.gather(at_root(), *calls, at_root())

    asyncio.run(go())
    assert seen == [0, 0]


@pytest.mark.parametrize("dialect", ["mission", "feature"])
def test_a_call_of_whoever_asked_for_quiet_is_a_bug_and_not_a_deadlock(
    desk: Callable[..., Desk], dialect: str
) -> None:
    here = desk(dialect=dialect)

    async def go() -> None:
        async with here.client.quiet():
            with pytest.raises(RuntimeError, match="wait for itself"):
                await here.client.state()
            with pytest.raises(RuntimeError, match="wait for itself"):
                await here.client.note("WP01", "x")
        await here.client.note("WP01", "afterwards")

    asyncio.run(go())
    assert here.option("--note") == "afterwards"


def test_a_cancelled_reader_does_not_leave_the_door_shut(desk: Callable[..., Desk]) -> None:
    here = desk()

    async def go() -> None:
        reader = asyncio.create_task(here.client.state())
        await asyncio.sleep(0)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        await here.client.note("WP01", "still open")

    asyncio.run(go())
    assert "append-history" in here.argv
