"""What attempts used, counted anew from the journal, and held against the limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kitty_run.engine.state.events import AttemptEnded, AttemptStarted, RunStarted
from kitty_run.profile.limits import Allowance

from tests.engine.properties.course import Course

TICK = 0.002
"""Seconds that the clock of the time limit may be late."""


def beyond_limits(course: Course) -> Iterator[str]:
    """Attempts that started when the run or their work package had used up a limit."""
    limits = course.scenario.profile.limits
    run, own = Used(), {wp: Used() for wp in course.scenario.dependencies}
    for entry in course.journal[: course.events_until_healed]:
        match entry.event:
            case RunStarted():
                run.begin(entry.at)
            case AttemptStarted() as one:
                yield from run.start("the run", limits)
                yield from own[one.wp].start(one.wp, limits.work_package)
                allowed = limits.work_package.wall_clock
                if allowed is not None and own[one.wp].at_work >= allowed:
                    yield f"{one.wp}: an attempt starts after {own[one.wp].at_work} of {allowed} s"
                if limits.wall_clock is not None and run.seconds(entry.at) > limits.wall_clock + TICK:
                    yield f"an attempt starts after {run.seconds(entry.at)} of {limits.wall_clock} s"
            case AttemptEnded() as end:
                run.end(end)
                own[end.wp].end(end)
        run.last = entry.at


class Used:
    """What was used so far, counted anew from the journal."""

    def __init__(self) -> None:
        self._attempts, self._cost, self._tokens = 0, 0.0, 0
        self.at_work = 0.0
        """Seconds that attempts took which told of their end."""
        self._before = 0.0
        self._began: datetime | None = None
        self.last: datetime | None = None

    def begin(self, at: datetime) -> None:
        """A session begins: the time between two sessions does not count."""
        if self.last is not None:
            self._before = self.seconds(self.last)
        self._began = at

    def seconds(self, at: datetime) -> float:
        """Seconds worked until `at`, in all sessions."""
        return self._before + ((at - self._began).total_seconds() if self._began else 0.0)

    def start(self, whose: str, limits: Allowance) -> Iterator[str]:
        """Count an attempt that starts; yields the limits that were used up before."""
        used = {"attempts": self._attempts, "cost_usd": self._cost, "tokens": self._tokens}
        for key, amount in used.items():
            most = getattr(limits, key)
            if most is not None and amount >= most:
                yield f"{whose}: an attempt starts after {amount} of {most} {key}"
        self._attempts += 1

    def end(self, ended: AttemptEnded) -> None:
        """Count what an attempt used."""
        self._cost += ended.cost_usd or 0.0
        self.at_work += ended.seconds
        self._tokens += (ended.input_tokens or 0) + (ended.output_tokens or 0)
