"""A run as one self-contained HTML page: no script, nothing fetched, secrets in logs masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kitty_run.engine.state.events import (
    EgressDenied,
    Entry,
    ErrorUnexpected,
    Event,
    FamilyLimited,
    GateAnswered,
    GateWaiting,
    GitRestored,
    LimitReached,
    Notice,
)
from kitty_run.engine.state.usage import Cost
from kitty_run.report.attempt_history import Attempt, gather
from kitty_run.report.event_text import sentence
from kitty_run.report.formatting import count, duration, money, tokens, trusted
from kitty_run.report.liveness import Life
from kitty_run.report.status import follow
from kitty_run.report.status_text import headline
from kitty_run.text import logs
from kitty_run.text.characters import plain
from kitty_run.text.clean import clean, shortened

EXCERPT_LENGTH = 4096
"""Characters of the end of an attempt's log that are in the page."""
ROOM = 100_000
"""Characters of one value in the page."""
MASKED_BYTES = 65_536
"""How much of the log's end is masked before it is cut, so that no secret is cut out of its shape."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An attempt on the time axis: where it begins and how long it is, as shares (percent) of the run."""

    attempt: Attempt
    left: float
    width: float
    excerpt: str


def page(run_id: str, entries: Sequence[Entry], life: Life, now: datetime) -> str:
    """The page of the run whose journal holds `entries`; `now` is where attempts without an end are cut."""
    import jinja2

    run, story = follow(run_id, entries), gather(entries)
    bars = [
        _bar(attempt, entries, now if life is Life.WORKING else entries[-1].at) for attempt in story.attempts
    ]
    template = Path(__file__).with_name("page.html.j2").read_text(encoding="utf-8")
    # Each value by itself, before it becomes a part of the page: no secret has a tag in it.
    surroundings = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, finalize=_clean)
    surroundings.globals |= {"money": money, "duration": duration, "count": count, "tokens": tokens}
    surroundings.globals["trusted"] = trusted
    return surroundings.from_string(template).render(
        run=run,
        headline=headline(run, life, now),
        bars=bars,
        rows={wp: [bar for bar in bars if bar.attempt.wp == wp] for wp in run.work_packages},
        reviews=story.reviews,
        attempts=sum(attempt.of_agent for attempt in story.attempts),
        spent=_spent([attempt for attempt in story.attempts if attempt.of_agent]),
        gates=[(entry, text) for entry in entries if (text := _gate(entry.event))],
        notes=[(entry, text) for entry in entries if (text := _note(entry.event))],
        entries=len(entries),
    )


def _clean(value: object) -> object:
    return shortened(value, ROOM) if type(value) is str else value


def _bar(attempt: Attempt, entries: Sequence[Entry], cut: datetime) -> Bar:
    begin, end = entries[0].at, max(entries[-1].at, cut)
    whole = max((end - begin).total_seconds(), 0.001)
    left = (attempt.began - begin).total_seconds() / whole * 100
    width = ((attempt.ended or cut) - attempt.began).total_seconds() / whole * 100
    return Bar(attempt, round(left, 3), round(max(width, 0.3), 3), _excerpt(attempt.log))


def _excerpt(log: Path) -> str:
    """The end of what the agent wrote; the error stream's where the output is empty."""
    for path in (log, log.with_suffix(".stderr.log")):
        if path.is_file() and path.stat().st_size:
            return clean(plain(logs.tail(path, MASKED_BYTES)))[-EXCERPT_LENGTH:].strip()
    return ""


def _gate(event: Event) -> str:
    """A gate's event in words; empty for all other events."""
    match event:
        case GateWaiting(gate=gate):
            return f"gate {gate}: waits"
        case GateAnswered():
            answer = "yes" if event.approved else "no"
            return f"gate {event.gate}: {answer} by {event.by} {event.note}".rstrip()
    return ""


def _note(event: Event) -> str:
    """A note's text; empty for all other events."""
    match event:
        case FamilyLimited():
            until = f"{event.until:%Y-%m-%d %H:%M:%S}"
            return f"family {event.family} is limited until {until} ({event.failure})"
        case Notice() | ErrorUnexpected() | LimitReached() | GitRestored():
            shown = sentence(event)
            return shown.reason if shown else ""
        case EgressDenied():
            shown = sentence(event)
            return f"{event.wp}: {shown.text}" if shown else ""
    return ""


def _spent(attempts: Sequence[Attempt]) -> list[tuple[str, int, float, Cost]]:
    """For each agent: attempts, seconds, and cost; attempts without an end are of unknown cost."""
    rows = []
    for agent in dict.fromkeys(attempt.agent for attempt in attempts):
        own = [attempt for attempt in attempts if attempt.agent == agent]
        cost = Cost()
        for attempt in own:
            cost = cost.plus(attempt.cost_usd, attempt.cost_source)
        rows.append((agent, len(own), sum(attempt.seconds for attempt in own), cost))
    return rows
