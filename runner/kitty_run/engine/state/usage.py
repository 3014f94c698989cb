"""What attempts used: cost, tokens and time, of the run and of each work package, from the journal's events.

What was not reported is counted as unknown, never as zero: of agents that name no cost, and of attempts that
were ended before they could.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from kitty_run.agents.model import ModelUsage
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptInterrupted,
    AttemptStarted,
    CostSource,
    Entry,
    RunEnded,
    RunStarted,
)
from kitty_run.profile.model import RoleName

_Key = tuple[str, RoleName, int]


@dataclass(frozen=True, slots=True)
class Cost:
    """What attempts cost together: US dollars of those whose cost is known, how many these are,
    and of how many it is unknown.

    `computed_usd` is the part that was computed by prices, since the agents reported none.
    """

    known_usd: float = 0.0
    known_attempts: int = 0
    unknown_attempts: int = 0
    computed_usd: float = 0.0

    @property
    def whole(self) -> float | None:
        """The whole cost; None where an attempt's is unknown, since a sum without it would mislead."""
        return None if self.unknown_attempts else self.known_usd

    def plus(self, usd: float | None, source: CostSource | None = None) -> Cost:
        """With one attempt more, that cost `usd` as `source` says; None is unknown."""
        if usd is None:
            return replace(self, unknown_attempts=self.unknown_attempts + 1)
        return replace(
            self,
            known_usd=self.known_usd + usd,
            known_attempts=self.known_attempts + 1,
            computed_usd=self.computed_usd + (usd if source == "prices" else 0.0),
        )

    def and_of(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(
            self.known_usd + other.known_usd,
            self.known_attempts + other.known_attempts,
            self.unknown_attempts + other.unknown_attempts,
            self.computed_usd + other.computed_usd,
        )

    def record(self) -> dict[str, object]:
        """As journal and reports have it: `cost_usd` is null where an attempt's is unknown."""
        cost = self.rounded()
        return {
            "cost_usd": cost.whole,
            "known_cost_usd": cost.known_usd,
            "computed_cost_usd": cost.computed_usd,
            "unknown_costs": cost.unknown_attempts,
        }

    def rounded(self) -> Cost:
        """To a millionth of a dollar, as journal and reports have it."""
        return replace(self, known_usd=round(self.known_usd, 6), computed_usd=round(self.computed_usd, 6))

    def __str__(self) -> str:
        """`1.20 USD`, `at least 1.20 USD, 3 attempts unknown`, or `unknown`; with what was computed of it."""
        if not self.unknown_attempts:
            return f"{self.known_usd:.2f} USD{self._computed()}"
        if not self.known_attempts:
            return "unknown"
        noun = "attempt" if self.unknown_attempts == 1 else "attempts"
        known = f"at least {self.known_usd:.2f} USD{self._computed()}"
        return f"{known}, {self.unknown_attempts} {noun} unknown"

    def _computed(self) -> str:
        if not self.computed_usd:
            return ""
        part = "" if self.computed_usd >= self.known_usd else f"{self.computed_usd:.2f} USD of it "
        return f" ({part}computed by prices)"


NO_COST = Cost()
"""That of no attempts at all."""


@dataclass(slots=True)
class Usage:
    """What some attempts used so far.

    `attempts` were started. Those that ended took `seconds` together, and used `tokens` as far as they
    reported it; `unknown_tokens` counts the attempts that did not report all of theirs.
    """

    attempts: int = 0
    cost: Cost = NO_COST
    tokens: int = 0
    unknown_tokens: int = 0
    seconds: float = 0.0
    usd_today: float = 0.0
    """What all runs of the repository cost today, as far as it is known; set where a limit asks for it."""

    @property
    def known_usd(self) -> float:
        """US dollars of those attempts whose cost is known."""
        return self.cost.known_usd

    def end(self, attempt: AttemptEnded) -> None:
        """Count an attempt that ended."""
        reported = [tokens for tokens in (attempt.input_tokens, attempt.output_tokens) if tokens is not None]
        self.cost = self.cost.plus(attempt.cost_usd, attempt.cost_source)
        self.tokens += sum(reported)
        self.unknown_tokens += len(reported) < 2
        self.seconds += attempt.seconds

    def lose(self, seconds: float) -> None:
        """Count an attempt that was ended after `seconds` before it could report what it used."""
        self.cost = self.cost.plus(None)
        self.unknown_tokens += 1
        self.seconds += seconds

    def find(self, seconds: float) -> None:
        """Count no more as lost an attempt that ended all the same."""
        self.cost = replace(self.cost, unknown_attempts=self.cost.unknown_attempts - 1)
        self.unknown_tokens -= 1
        self.seconds -= seconds


@dataclass(slots=True)
class Ledger:
    """The usage of the run and of its work packages; `take` is the only thing that changes it.

    `seconds` is what the sessions before the present one took together. One that was killed counts up to
    the last event that it wrote, and so do the attempts that were under way in it: by the clock that nobody
    sets, where the journal has it.
    """

    run: Usage = field(default_factory=Usage)
    work_packages: dict[str, Usage] = field(default_factory=dict)
    seconds: float = 0.0
    days: dict[date, Cost] = field(default_factory=dict)
    """The cost by the day, as the clock here has it, on which attempts ended."""
    _sessions: dict[tuple[str, str], list[ModelUsage]] = field(default_factory=dict)
    _open: dict[_Key, Entry] = field(default_factory=dict)
    _lost: dict[_Key, float] = field(default_factory=dict)
    """Seconds of those that a kill cut off from the runner: one may have ended by itself all the same."""
    _began: Entry | None = None
    _latest: Entry | None = None

    def of(self, wp: str) -> Usage:
        """The usage of `wp`, nothing at first."""
        return self.work_packages.setdefault(wp, Usage())

    def so_far(self, wp: str | None = None) -> Usage:
        """The usage of `wp`, or of the run, with attempts that have no end yet as of unknown cost."""
        usage = self.run if wp is None else self.of(wp)
        under_way = sum(wp in (None, key[0]) for key in self._open)
        unknown = usage.cost.unknown_attempts + under_way
        cost = replace(usage.cost, unknown_attempts=unknown)
        return replace(usage, cost=cost, unknown_tokens=usage.unknown_tokens + under_way)

    def take(self, entry: Entry) -> None:
        """Fold one entry; events without usage change nothing but the time of the latest."""
        match entry.event:
            case RunStarted():
                self.close()
                self._began = entry
            case RunEnded(seconds=seconds):
                self._lose_open(entry)
                self.seconds += seconds
                self._began = None
            case AttemptStarted() as attempt:
                self._open[_key(attempt)] = entry
                for usage in self._both(attempt.wp):
                    usage.attempts += 1
            case AttemptEnded() as attempt:
                self._open.pop(_key(attempt), None)
                lost = self._lost.pop(_key(attempt), None)
                for usage in self._both(attempt.wp):
                    if lost is not None:
                        usage.find(lost)
                    usage.end(attempt)
                self._cost(entry, attempt)
            case AttemptInterrupted() as attempt if _key(attempt) in self._open:
                began = self._open.pop(_key(attempt))
                self._lose(attempt.wp, _between(began, entry))
        self._latest = entry

    def used_in(self, agent: str, session: str | None) -> Sequence[ModelUsage]:
        """What the attempts of `agent` in the conversation `session` used together, by model."""
        return self._sessions.get((agent, session or ""), ())

    def _cost(self, entry: Entry, attempt: AttemptEnded) -> None:
        day = entry.at.astimezone().date()
        self.days[day] = self.days.get(day, NO_COST).plus(attempt.cost_usd, attempt.cost_source)
        if attempt.session and attempt.models:
            self._sessions.setdefault((attempt.agent, attempt.session), []).extend(attempt.models)

    def _lose(self, wp: str, seconds: float) -> None:
        for usage in self._both(wp):
            usage.lose(seconds)

    def close(self) -> None:
        """Close the present session, if it was killed and so wrote no end of itself."""
        if self._began is not None and self._latest is not None:
            self._lose_open(self._latest)
            self.seconds += _between(self._began, self._latest)
            self._began = None

    def _lose_open(self, last: Entry) -> None:
        """Close the attempts that will never end: nobody knows what they cost."""
        for key, began in self._open.items():
            self._lost[key] = _between(began, last)
            self._lose(key[0], self._lost[key])
        self._open.clear()

    def _both(self, wp: str) -> Iterator[Usage]:
        yield self.run
        yield self.of(wp)


def _key(attempt: AttemptStarted | AttemptEnded | AttemptInterrupted) -> _Key:
    return attempt.wp, attempt.role, attempt.attempt


def _between(began: Entry, ended: Entry) -> float:
    """Seconds between two lines of one session; none where only times of day are known, and run backwards."""
    if began.up is not None and ended.up is not None:
        return max(ended.up - began.up, 0.0)
    return max((ended.at - began.at).total_seconds(), 0.0)
