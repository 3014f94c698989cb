"""A run's story, gathered from its journal: every attempt with its times and end, and every verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kitty_run.agents.model import Finding
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptInterrupted,
    AttemptStarted,
    CostSource,
    Entry,
    SetupEnded,
    SetupStarted,
    VerdictGiven,
)


@dataclass(slots=True)
class Attempt:
    """One attempt, or a command of a setup or teardown: `role` says which then, `agent` its name.

    `ended` is None where the journal has no end of it: it works still, or was killed.
    """

    wp: str
    role: str
    number: int
    agent: str
    cycle: int
    log: Path
    began: datetime
    ended: datetime | None = None
    failure: str | None = None
    rule: str = ""
    cost_usd: float | None = None
    cost_source: CostSource | None = None

    @property
    def title(self) -> str:
        """What it is called among those of its work package."""
        by = "" if self.of_agent else ": "
        return f"{self.role} {self.number}{by or ' by '}{self.agent}"

    @property
    def of_agent(self) -> bool:
        """Whether it is an agent's, and may cost something."""
        return self.role in {"implement", "review"}

    @property
    def state(self) -> str:
        """`good`, `bad` or `open`."""
        return "open" if self.ended is None else "bad" if self.failure else "good"

    @property
    def seconds(self) -> float:
        """How long it took, 0 where it has not ended."""
        return (self.ended - self.began).total_seconds() if self.ended else 0.0


@dataclass(frozen=True, slots=True)
class Review:
    """A review in writing; `findings` are one line each, with their place."""

    wp: str
    at: datetime
    by: str
    approved: bool
    summary: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """Attempts (and setups among them) and reviews, each in the order in which they began."""

    attempts: tuple[Attempt, ...]
    reviews: tuple[Review, ...]


def gather(entries: Iterable[Entry]) -> Story:
    """The story of `entries`."""
    attempts: dict[tuple[str, str, int | Path], Attempt] = {}
    reviews: list[Review] = []
    for entry in entries:
        match entry.event:
            case AttemptStarted() as event:
                attempts[event.wp, event.role, event.attempt] = _begun(event, entry.at)
            case AttemptEnded() | AttemptInterrupted() as event:
                if known := attempts.get((event.wp, event.role, event.attempt)):
                    _end(known, event, entry.at)
            case SetupStarted() as event:
                before = sum(key[:2] == (event.wp, event.phase) for key in attempts)
                attempts[event.wp, event.phase, event.log] = _set_up(event, before + 1, entry.at)
            case SetupEnded() as event:
                if known := attempts.get((event.wp, event.phase, event.log)):
                    known.ended, known.failure = entry.at, None if event.passed else event.ending
                    known.rule = f"exit status {event.status}" if event.ending == "exit" else event.ending
            case VerdictGiven() as event:
                reviews.append(_review(event, entry.at))
    return Story(tuple(attempts.values()), tuple(reviews))


def _begun(event: AttemptStarted, at: datetime) -> Attempt:
    return Attempt(
        wp=event.wp,
        role=event.role,
        number=event.attempt,
        agent=event.agent,
        cycle=event.cycle,
        log=event.log,
        began=at,
    )


def _set_up(event: SetupStarted, number: int, at: datetime) -> Attempt:
    return Attempt(event.wp, event.phase, number, event.name, 1, event.log, at)


def _end(attempt: Attempt, event: AttemptEnded | AttemptInterrupted, at: datetime) -> None:
    attempt.ended = at
    if isinstance(event, AttemptInterrupted):
        attempt.failure, attempt.rule = "interrupted", "the run was stopped"
        return
    attempt.failure, attempt.rule = event.failure, event.rule
    attempt.cost_usd, attempt.cost_source = event.cost_usd, event.cost_source


def _review(event: VerdictGiven, at: datetime) -> Review:
    return Review(
        wp=event.wp,
        at=at,
        by=event.agent,
        approved=event.verdict == "approved",
        summary=event.summary,
        findings=tuple(map(_finding, event.findings)),
    )


def _finding(one: Finding) -> str:
    place = f"{one.file}:{one.line}: " if one.file and one.line else f"{one.file}: " if one.file else ""
    return f"{place}{one.message}"
