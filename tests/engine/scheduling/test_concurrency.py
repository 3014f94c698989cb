"""Who gets a place first, and that no place is kept idle."""

from __future__ import annotations

import asyncio

from kitty_run.engine.scheduling.concurrency import Slots
from kitty_run.profile.model import Concurrency, RoleName
from kitty_run.simulation.clock import run_in_virtual_time


def started(limits: Concurrency, *wanted: tuple[RoleName, str, float]) -> list[tuple[RoleName, str, float]]:
    """The order in which attempts of a second each start, which all want a place at once."""
    order: list[tuple[RoleName, str, float]] = []

    async def attempt(slots: Slots, one: tuple[RoleName, str, float]) -> None:
        async with slots.hold(*one):
            order.append(one)
            await asyncio.sleep(1.0)

    async def all_at_once() -> None:
        slots = Slots(limits)
        await asyncio.gather(*(attempt(slots, one) for one in wanted))

    run_in_virtual_time(all_at_once())
    return order


def test_reviews_go_before_implementations_and_long_ways_before_short_ones() -> None:
    first, short, long = ("implement", "ada", 1.0), ("implement", "ada", 2.0), ("implement", "ada", 9.0)
    review = ("review", "ada", 0.5)
    assert started(Concurrency(4, agents={"ada": 1}), first, short, long, review) == [
        first,
        review,
        long,
        short,
    ]


def test_waiting_for_an_agent_keeps_no_place_of_the_role() -> None:
    busy, waits, free = ("review", "ada", 1.0), ("implement", "ada", 9.0), ("implement", "eve", 1.0)
    limits = Concurrency(4, roles={"implement": 1}, agents={"ada": 1})
    assert started(limits, busy, waits, free) == [busy, free, waits]


def test_who_is_cancelled_while_waiting_leaves_no_place_taken() -> None:
    async def scene() -> None:
        slots = Slots(Concurrency(4, agents={"ada": 1}))
        async with slots.hold("implement", "ada"):
            waiting = asyncio.create_task(_hold(slots))
            await asyncio.sleep(1.0)
            waiting.cancel()
        await asyncio.wait_for(_hold(slots), 1.0)

    run_in_virtual_time(scene())


async def _hold(slots: Slots) -> None:
    async with slots.hold("implement", "ada"):
        return
