"""Looking at a mission without running it: reading calls only, and never while a run makes calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from loguru import logger

from kitty_run.engine.decisions.budget import cost_of_day
from kitty_run.engine.earlier_runs import cost_of_others, day_of
from kitty_run.engine.root_checkout import root_checkout, unknown_committer
from kitty_run.engine.start_check import StartCheck
from kitty_run.engine.state.repository_lock import repository_lock
from kitty_run.engine.state.run_directory import HOME
from kitty_run.engine.state.witness import outside_store
from kitty_run.git.guard.guard import Guard
from kitty_run.git.guard.unusable import UnusableSettings, refuse_unusable
from kitty_run.host.client import CallRecord
from kitty_run.host.detect import connect
from kitty_run.host.repository import main_checkout
from kitty_run.host.transport.start import Starter
from kitty_run.host.transport.starters import starter
from kitty_run.planner.mission_plan import Seen, look
from kitty_run.profile.limits import Limits
from kitty_run.profile.model import HostConfig, Profile


async def visit(profile: Profile, directory: Path, mission: str) -> Seen:
    """What there is to see of `mission` in the repository of `directory`, which `profile` is to be run on.

    Raises `RepositoryBusy` while a run is under way there, and what `connect` raises.
    """
    repo = await main_checkout(directory)
    with alone(repo, mission):
        await refuse_untrusted(repo)
        async with calling(profile.host) as doorman:
            host = await connect(profile.host, repo, mission, doorman, unobserved)
            seen = await look(host, repo, profile.host.actor)
            root = await root_checkout(host, profile.finish, repo, seen.state.mission)
            obstacles = await StartCheck(host, root, profile.finish, seen.state).obstacles()
            _, unknown = await unknown_committer(repo)
            today = await asyncio.to_thread(_usd_today, profile.limits, repo, seen)
            return replace(
                seen,
                usd_today=today,
                obstacles=tuple(one.text for one in obstacles if one.blocks),
                warnings=(
                    *filter(None, (unknown, host.untested)),
                    *(one.text for one in obstacles if not one.blocks),
                ),
            )


def _usd_today(limits: Limits, repo: Path, seen: Seen) -> float:
    """What all runs of the repository cost today, where a limit asks for it."""
    now = datetime.now(UTC)
    return cost_of_day(day_of(now), seen.ledger.days, cost_of_others(limits, repo, seen.run, now))


async def refuse_untrusted(repo: Path) -> None:
    """Raise `UnusableSettings` where git's settings in `repo` are not the user's, or are of no use."""
    if found := await Guard(repo, await asyncio.to_thread(outside_store, repo)).pending():
        raise UnusableSettings(
            f"agents of a run that was killed changed git's settings in {repo} ({'; '.join(found)}). Nothing "
            "was asked: start the run again, which puts them back"
        )
    await refuse_unusable(repo)


@asynccontextmanager
async def calling(
    config: HostConfig, notice: Callable[[str], None] = logger.warning
) -> AsyncIterator[Starter]:
    """A starter of host calls, closed at the end; `notice` gets why calls are started cold, if they are."""
    doorman = starter(config, notice)
    try:
        yield doorman
    finally:
        await doorman.close()


@contextmanager
def alone(repo: Path, mission: str) -> Iterator[None]:
    """No run works in `repo` meanwhile: some hosts fail at two calls at once.

    Where no run has ever been there is nobody to wait for, and no directory is made.
    """
    if not (repo / HOME).is_dir():
        yield
        return
    with repository_lock(repo / HOME / "lock", mission):
        yield


def unobserved(_: CallRecord) -> None:
    """Keep no record of a call."""
