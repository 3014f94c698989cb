"""What a failure would lead to, repeat by repeat: the retry decision of the engine, asked in advance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kitty_run.engine.decisions.circuit_breaker import LIMITS, UNNAMED
from kitty_run.engine.decisions.retry import decide, delay
from kitty_run.errors import UsageError
from kitty_run.profile.load import Loaded
from kitty_run.profile.model import Action, RetryRow
from kitty_run.profile.retry_verbs import verb
from kitty_run.profile.validation.nearest import nearest
from kitty_run.profile.validation.schema import profile_schema
from kitty_run.profile.yaml.position import Place
from kitty_run.profile.yaml.tree import key_place

TABLES = ("host", "agent", "review")


@dataclass(frozen=True, slots=True)
class Repeat:
    """One repeat: seconds to wait before it, at least and at most (jitter), and the sum until then."""

    number: int
    wait: float
    least: float
    most: float
    total: float


@dataclass(frozen=True, slots=True)
class Future:
    """What `table:key` leads to; `row_key` is the row used, `default` where the key has none."""

    table: str
    key: str
    row_key: str
    place: Place
    row: RetryRow
    repeats: tuple[Repeat, ...]
    last: Action

    def record(self) -> dict[str, Any]:
        """As plain data; times are seconds."""
        repeats = [
            {"number": r.number, "wait": r.wait, "least": r.least, "most": r.most, "total": r.total}
            for r in self.repeats
        ]
        where = {"file": self.place.source.name, "line": self.place.line}
        head = {"table": self.table, "key": self.key, "row": self.row_key, **where}
        return {**head, "do": str(self.row.do), "repeats": repeats, "then": str(self.last)}


def forecast(loaded: Loaded, text: str) -> Future:
    """What the failure `TABLE:KEY` would lead to; raises UsageError for one that can't happen."""
    table, _, key = text.partition(":")
    if table not in TABLES or not key:
        raise UsageError(f"--retry {text}: write it as TABLE:KEY, TABLE one of {', '.join(TABLES)}")
    _check_key(table, key)
    rows = getattr(loaded.profile.retry, table)
    row_key = key if key in rows else "default"
    row = rows[row_key]
    last = decide(row, row.attempts, fallback_left=True).action
    place = key_place(loaded.resolved, ("retry", table, row_key))
    return Future(table, key, row_key, place, row, tuple(_repeats(row)), last)


def _check_key(table: str, key: str) -> None:
    schema = profile_schema()["properties"]["retry"]["properties"][table]
    known = list(schema["properties"])
    if schema["additionalProperties"] is False and key not in known:
        raise UsageError(f"--retry {table}:{key}: no such failure ({nearest(key, known)})")


def _repeats(row: RetryRow) -> list[Repeat]:
    found: list[Repeat] = []
    total = 0.0
    for number in range(row.attempts if verb(row.do).repeats else 0):
        least, wait, most = (delay(row.backoff, number, spread) for spread in (-1.0, 0.0, 1.0))
        total += wait
        found.append(Repeat(number + 1, wait, least, most, total))
    return found


def forecast_text(future: Future) -> str:
    """For people: a line for each repeat with its wait, and what follows the last."""
    row = f"the row {future.row_key!r}" if future.row_key == future.key else "no row of its own: `default`"
    lines = [f"{future.table}:{future.key}: {row} ({future.place})"]
    for repeat in future.repeats:
        wait = f"wait {_time(repeat.wait)}"
        spread = f" ({_time(repeat.least)} to {_time(repeat.most)})" if repeat.least != repeat.most else ""
        pause = f"{wait}{spread}, then " if repeat.most else ""
        lines.append(f"  {repeat.number:>2}. {pause}{verb(future.row.do).forecast}")
    if future.row.do is Action.WAIT:
        lines.append("      (longer where the failure names the time at which the limit ends)")
    total = future.repeats[-1].total if future.repeats else 0.0
    waited = f" after {_time(total)} of waiting" if total else ""
    lines.append(f"  then {future.last}{waited}: {verb(future.last).forecast}")
    if future.row.do is Action.FALLBACK and future.key in LIMITS:
        pause = _time(delay(future.row.backoff, 0, 0.0) or UNNAMED)
        lines.append(
            f"      (others do so without an attempt, until the limit that is named ends, or for {pause})"
        )
    return "\n".join(lines) + "\n"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.3g}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "m"), (rest, "s")]
    return "".join(f"{number}{unit}" for number, unit in parts if number)
