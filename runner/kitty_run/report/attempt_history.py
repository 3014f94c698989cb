"""A run's story, gathered from its journal: every attempt with its times and end, and every verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from kitty_run.engine.state.journal import Event


@dataclass(slots=True)
class Attempt:
    """One attempt. `ended` is None where the journal has no end of it: it works still, or was killed."""

    wp: str
    role: str
    number: int
    agent: str
    cycle: int
    log: str
    began: datetime
    ended: datetime | None = None
    failure: str | None = None
    rule: str = ""
    cost_usd: float | None = None

    @property
    def state(self) -> str:
        """`good`, `bad` or `open`."""
        return "open" if self.ended is None else "bad" if self.failure else "good"

    @property
    def seconds(self) -> float:
        """How long it took, 0 where it has not ended."""
        return (self.ended - self.began).total_seconds() if self.ended else 0.0


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """A review in writing; `findings` are one line each, with their place."""

    wp: str
    at: datetime
    by: str
    approved: bool
    summary: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """Attempts and verdicts, each in the order in which they began."""

    attempts: tuple[Attempt, ...]
    verdicts: tuple[VerdictGiven, ...]


def gather(events: Iterable[Event]) -> Story:
    """The story of `events`."""
    attempts: dict[tuple[str, str, int], Attempt] = {}
    verdicts: list[VerdictGiven] = []
    for event in events:
        match event.type:
            case "attempt.started":
                begun = _begun(event)
                attempts[begun.wp, begun.role, begun.number] = begun
            case "attempt.ended" | "attempt.interrupted":
                data = event.data
                if known := attempts.get((str(event.wp), str(data["role"]), int(str(data["attempt"])))):
                    _end(known, event)
            case "verdict.given":
                verdicts.append(_verdict(event))
    return Story(tuple(attempts.values()), tuple(verdicts))


def _begun(event: Event) -> Attempt:
    data = event.data
    return Attempt(
        wp=str(event.wp),
        role=str(data["role"]),
        number=int(str(data["attempt"])),
        agent=str(data["agent"]),
        cycle=int(str(data["cycle"])),
        log=str(data["log"]),
        began=event.at,
    )


def _end(attempt: Attempt, event: Event) -> None:
    data = event.data
    attempt.ended = event.at
    if event.type == "attempt.interrupted":
        attempt.failure, attempt.rule = "interrupted", "the run was stopped"
        return
    attempt.failure = None if data["failure"] is None else str(data["failure"])
    attempt.rule = str(data["rule"])
    cost = data["cost_usd"]
    attempt.cost_usd = float(cost) if isinstance(cost, int | float) else None


def _verdict(event: Event) -> VerdictGiven:
    data, findings = event.data, event.data["findings"]
    return VerdictGiven(
        wp=str(event.wp),
        at=event.at,
        by=str(data["agent"]),
        approved=data["verdict"] == "approved",
        summary=str(data["summary"]),
        findings=tuple(_finding(one) for one in findings) if isinstance(findings, list) else (),
    )


def _finding(one: Mapping[str, object]) -> str:
    place = f"{one['file']}:{one['line']}: " if one.get("file") and one.get("line") else ""
    place = place or (f"{one['file']}: " if one.get("file") else "")
    return f"{place}{one['message']}"
