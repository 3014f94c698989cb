"""What a run and its work packages may use: which limits are reached, as pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from kitty_run.engine.state.session_report import Reached, named
from kitty_run.engine.state.usage import Cost, Usage
from kitty_run.profile.limits import Allowance


def reached(limits: Allowance, usage: Usage, wp: str | None = None) -> tuple[Reached, ...]:
    """The limits that `usage` has reached: the run's, or those of `wp` alone."""
    prefix = "limits" if wp is None else "limits.work_package"
    return tuple(
        Reached(f"{prefix}.{limit.key}", used, allowed, wp)
        for limit, allowed in limits.given()
        if (used := limit.used(usage)) >= allowed
    )


def cost_of_day(day: date, *spent: Mapping[date, Cost]) -> float:
    """What is known of the cost of `day`, in US dollars."""
    return sum(each[day].known_usd for each in spent if day in each)


def account(found: tuple[Reached, ...], usage: Usage, left: Mapping[str, str]) -> str:
    """The reason of a run that limits have stopped: which, what it cost, what is left, what to do.

    `left` are the lanes of the work packages that are not done.
    """
    return "\n".join(_account(found, usage, left))


def _account(found: tuple[Reached, ...], usage: Usage, left: Mapping[str, str]) -> Iterator[str]:
    for one in found:
        yield f"{one.wp}: {one}" if one.wp else str(one)
    attempts = f"{usage.attempts} attempt{'' if usage.attempts == 1 else 's'}"
    yield f"spent so far: {attempts}, cost {usage.cost}"
    yield "left: " + (", ".join(f"{wp} ({lane})" for wp, lane in left.items()) or "no work package")
    yield f"Raise {named(found)} and run the same command again: it continues from here."
