"""The live view: one line per event that a person cares about, as it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TextIO

from kitty_run.engine.journal import Event

Level = Literal["quiet", "normal", "verbose"]
Data = Mapping[str, object]


class Live:
    """Writes events to `stream` as plain lines: `12:04:31  WP01  implement 1: claude starts`."""

    def __init__(self, stream: TextIO, level: Level = "normal") -> None:
        self._stream = stream
        self._level = level

    def show(self, event: Event) -> None:
        """Write the event's line, if it has one at this level."""
        if self._level == "quiet":
            return
        text = line(event, verbose=self._level == "verbose")
        if text is not None:
            at = event.at.astimezone().strftime("%H:%M:%S")
            self._stream.write(f"{at}  {event.wp or '-':<5} {text}\n")
            self._stream.flush()


def line(event: Event, *, verbose: bool = False) -> str | None:
    """What to tell of `event`; None where a person need not know."""
    words = _WORDS.get(event.type) or (_VERBOSE.get(event.type) if verbose else None)
    return words(event.data) if words else None


def _run(data: Data) -> str:
    return (
        f"mission {data['mission']} ({data['topology']}) on a host of contract {data['contract']}, "
        f"dialect {data['dialect']}"
    )


def _attempt_ended(data: Data) -> str:
    how = "done" if data["failure"] is None else f"{data['failure']}: {data['rule']}"
    cost = data.get("cost_usd")
    spent = f", {cost:.2f} USD" if isinstance(cost, int | float) else ""
    return f"{data['role']} {data['attempt']}: {data['agent']} {how} ({data['seconds']} s{spent})"


def _verdict(data: Data) -> str:
    findings = data.get("findings")
    count = len(findings) if isinstance(findings, list) else 0
    return f"verdict by {data['agent']}: {data['verdict']}, {count} finding(s): {data['summary']}"


def _retry(data: Data) -> str:
    wait = f" in {data['wait']} s" if data.get("wait") else ""
    return f"{data['key']}: {data['action']}{wait} ({data['reason']})"


def _ended(data: Data) -> str:
    reason = f": {data['reason']}" if data.get("reason") else ""
    return f"{data['result']}{reason}"


def _check(data: Data) -> str:
    return f"check {data['name']}: {'passed' if data['passed'] else 'failed, see ' + str(data['log'])}"


def _discarded(data: Data) -> str:
    return f"the reviewer changed files; thrown away: {_some(data['files'])}"


def _some(value: object) -> str:
    items = value if isinstance(value, list) else [value]
    return ", ".join(map(str, items[:5])) + (", ..." if len(items) > 5 else "")


_WORDS: dict[str, Callable[[Data], str]] = {
    "run.started": lambda data: f"start: {_run(data)}",
    "run.resumed": lambda data: f"going on: {_run(data)}",
    "attempt.started": lambda data: f"{data['role']} {data['attempt']}: {data['agent']} starts",
    "attempt.ended": _attempt_ended,
    "attempt.interrupted": lambda data: f"{data['role']} {data['attempt']}: interrupted",
    "check.ended": _check,
    "work.saved": lambda data: f"uncommitted work saved in {str(data['commit'])[:10]}: {data['why']}",
    "verdict.given": _verdict,
    "review.discarded": _discarded,
    "rework.started": lambda data: f"back to the implementer, cycle {data['cycle']}",
    "retry.decided": _retry,
    "gate.waiting": lambda data: f"waits at the gate {data['gate']}: kitty-run approve {data['gate']}",
    "gate.answered": lambda data: (
        f"gate {data['gate']}: {'yes' if data['approved'] else 'no'} by {data['by']}"
    ),
    "wp.ended": _ended,
    "mission.accepted": lambda _: "the mission is accepted",
    "merge.started": lambda data: f"merging {len(data['heads'])} work packages",  # type: ignore[arg-type]
    "merge.verified": lambda data: f"merged and verified with git: {data['target']} is at {data['commit']}",
    "error.unexpected": lambda data: f"unexpected error: {data['error']}",
    "notice": lambda data: str(data["text"]),
}

_VERBOSE: dict[str, Callable[[Data], str]] = {
    "call.ended": lambda data: f"host: {data['operation']}: {data['code'] or 'ok'} ({data['seconds']} s)",
    "work.committed": lambda data: f"committed {str(data['commit'])[:10]}",
    "workspace.allocated": lambda data: f"workspace {data['path']}",
    "status.committed": lambda data: f"the host's status files are committed: {str(data['commit'])[:10]}",
    "process.ended": lambda data: f"process ended: {data['marker']}",
}
