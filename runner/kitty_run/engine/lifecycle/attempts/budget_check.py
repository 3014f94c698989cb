"""Holding a run and its work packages to their limits: where they are looked at, and what follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

from kitty_run.engine.context import Run
from kitty_run.engine.decisions.budget import cost_of_day, reached
from kitty_run.engine.earlier_runs import day_of
from kitty_run.engine.shutdown import End, Stop
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.events import LimitReached
from kitty_run.engine.state.session_report import Reached, named

TICK = 0.001
"""Seconds of the shortest wait for the time limit: rounding must not make it a wait without an end."""


def of_run(run: Run) -> tuple[Reached, ...]:
    """The limits that the run has reached, all its sessions together."""
    ledger, today = run.memory.ledger, day_of(run.now())
    usd = cost_of_day(today, ledger.days, run.others)
    return reached(run.profile.limits, replace(ledger.run, seconds=_spent(run), usd_today=usd))


def of_work_package(run: Run, wp: str) -> tuple[Reached, ...]:
    """The limits of its own that `wp` has reached."""
    return reached(run.profile.limits.work_package, run.memory.ledger.of(wp), wp)


def look(run: Run) -> None:
    """Stop the run where it has reached a limit: nothing new starts, and no wait continues."""
    if run.control.draining:
        return
    if found := of_run(run):
        run.control.drain(EndCode.LIMIT_REACHED, _reason(found))
        _record(run, found)


def check(run: Run, wp: str) -> None:
    """Before an attempt for `wp`: raises `Stop` where the run is stopping, or `wp` is at its own limit."""
    run.control.checkpoint()
    if found := of_work_package(run, wp):
        _record(run, found)
        raise Stop(End(EndCode.LIMIT_REACHED, _reason(found)))


@asynccontextmanager
async def keeping_time(run: Run) -> AsyncIterator[None]:
    """Inside, the run stops as soon as its time is up, whatever it waits for.

    Raises `JournalError` at the end where that could not be written down.
    """
    look(run)
    timer = asyncio.create_task(_run_out(run))
    try:
        yield
    finally:
        timer.cancel()
        await asyncio.wait({timer})
        if not timer.cancelled():
            timer.result()


async def _run_out(run: Run) -> None:
    """Stop the run when its time is up, if there is such a time."""
    allowed = run.profile.limits.wall_clock
    if allowed is None:
        return
    while (left := allowed - _spent(run)) > 0:
        await asyncio.sleep(max(left, TICK))
    look(run)


def _spent(run: Run) -> float:
    return run.memory.ledger.seconds + run.clock()


def _reason(found: Iterable[Reached]) -> str:
    found = tuple(found)
    return f"{'; '.join(map(str, found))}; raise {named(found)} and run again to continue"


def _record(run: Run, found: Iterable[Reached]) -> None:
    for one in found:
        ledger = run.memory.ledger
        cost = (ledger.run if one.wp is None else ledger.of(one.wp)).cost.rounded()
        run.journal.write(
            LimitReached(
                wp=one.wp,
                limit=one.key,
                used=round(one.used, 6),
                allowed=one.allowed,
                cost_usd=cost.whole,
                known_cost_usd=cost.known_usd,
                unknown_costs=cost.unknown_attempts,
            )
        )
