"""Missions whose agents' services are limited for a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from kitty_run.engine.state.events import AttemptStarted
from kitty_run.profile.model import Action, Backoff, Profile, RetryRow

from tests.engine import profiles
from tests.engine.world import START, Did, Job, Script, World, good

WIDE = {f"WP{number:02}": [] for number in range(1, 7)}


HOUR = 3600.0


FALLBACK = RetryRow(Action.FALLBACK)


WAIT = RetryRow(Action.WAIT, 8, Backoff(30.0), Action.FALLBACK)


def told(seconds: float) -> str:
    """The moment so long after the world's beginning, as a service tells it."""
    return (START + timedelta(seconds=seconds)).isoformat()


def profile(
    row: RetryRow,
    work_packages: int = 2,
    implement: tuple[str, ...] = ("ada", "eve"),
    review: tuple[str, ...] = ("bob",),
) -> Profile:
    """Ada implements, and eve where she can't; `row` says what follows a limit."""
    made = profiles.profile(work_packages=work_packages, implement=implement, review=review)
    tables = replace(made.retry, agent={**made.retry.agent, "rate_limited": row, "overloaded": row})
    return replace(made, retry=tables)


def limits(*named: str, **until: float) -> Script:
    """A script in which each agent is limited until so many seconds; those `named` say until when."""

    def script(job: Job) -> Did:
        end = until.get(job.agent, 0.0)
        if job.now >= START + timedelta(seconds=end):
            return good(job)
        return job.limited(told(end) if job.agent in named else "")

    return script


def starts(world: World, agent: str, *, since: float = 0.0) -> list[float]:
    """When the agent's attempts started, in seconds since the world's beginning."""
    found = [
        (entry.at - START).total_seconds()
        for entry in world.entries()
        if isinstance(entry.event, AttemptStarted) and entry.event.agent == agent
    ]
    return [seconds for seconds in found if seconds >= since]
