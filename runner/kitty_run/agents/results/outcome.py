"""What the end of an agent's process means: success, or which class of failure, and what decided it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kitty_run.agents.model import Ending, Exit, Outcome
from kitty_run.agents.results import logs, reset_times
from kitty_run.agents.results.output import extract
from kitty_run.profile.model import Agent, FailureClass, FailureRule

LAST_WORDS = 64 * 1024
"""Bytes at the end of each log that can explain why an agent that had to be ended was stuck."""

DECIDED: Mapping[Ending, tuple[FailureClass, str]] = {
    "not_installed": (
        FailureClass.NOT_INSTALLED,
        "its command {command} was not found or cannot be executed",
    ),
    "signal": (FailureClass.CRASHED, "ended by a signal"),
    "stopped": (FailureClass.FAILED, "stopped by the runner"),
}
STUCK: Mapping[Ending, tuple[FailureClass, str]] = {
    "timeout": (FailureClass.TIMEOUT, "`timeout` was over"),
    "idle": (FailureClass.IDLE, "`idle_timeout` was over"),
}

Pieces = Callable[[], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Decision:
    """The class of failure (None: success), what decided it, and when the limit ends that it names."""

    failure: FailureClass | None
    rule: str
    resets_at: datetime | None = None


def classify(agent: Agent, exit: Exit, now: datetime) -> Outcome:  # noqa: A002 - it is one
    """What `exit` of `agent` came to; reads its logs in bounded memory and blocks: call it in a thread.

    `failures` are tried in order and the first that matches wins, also on exit status 0, on the whole of
    both logs; of an agent that was ended by a time limit only on the last 64 KiB of each, which say what it
    was waiting for. Patterns are searched with `^` and `$` matching at lines; a match must not be longer
    than 64 KiB. Where none matches, exit status 0 with what `success` asks for is success, and all else
    `failed`. `now` is aware, in the zone that clock times without a zone are in.
    """
    decision = _decide(agent, exit, now)
    found = extract(agent.output, exit.stdout)
    return Outcome(
        failure=decision.failure,
        rule=decision.rule,
        exit=exit,
        message=found.message,
        session=found.session,
        cost_usd=found.cost_usd,
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens,
        resets_at=decision.resets_at,
    )


def _decide(agent: Agent, end: Exit, now: datetime) -> Decision:
    if end.ending in DECIDED:
        failure, why = DECIDED[end.ending]
        why = why.format(command=agent.command[0])
        return Decision(failure, f"{why}{'' if end.signal is None else f' ({end.signal})'}")
    rules = _first_rule(agent.failures, end, now)
    if end.ending in STUCK:
        failure, why = STUCK[end.ending]
        return (
            Decision(rules.failure, f"{why}; {rules.rule}", rules.resets_at)
            if rules
            else Decision(failure, why)
        )
    return rules or _without_rule(agent, end)


def _without_rule(agent: Agent, end: Exit) -> Decision:
    if end.status != 0:
        return Decision(FailureClass.FAILED, f"exit status {end.status}, and no rule of `failures` matches")
    if agent.success is None:
        return Decision(None, "exit status 0")
    if _search(agent.success, _whole(end)) is None:
        return Decision(FailureClass.FAILED, "exit status 0, but `success.match` is not found in the output")
    return Decision(None, "exit status 0 and `success.match`")


def _first_rule(rules: tuple[FailureRule, ...], end: Exit, now: datetime) -> Decision | None:
    """What the first of `rules` that matches decides."""
    pieces = _last_words(end) if end.ending in STUCK else _whole(end)
    for number, rule in enumerate(rules):
        if rule.exit_codes and end.status not in rule.exit_codes:
            continue
        match = None if rule.match is None else _search(rule.match, pieces)
        if rule.match is not None and match is None:
            continue
        named = None if match is None else match.groupdict().get("resets_at")
        resets_at = None if named is None else reset_times.parse(named, now)
        unread = (
            "" if named is None or resets_at is not None else f"; its `resets_at` is no time: {named[:60]!r}"
        )
        return Decision(rule.failure, f"failures[{number}]: {rule.failure}{unread}", resets_at)
    return None


def _search(pattern: str, pieces: Pieces) -> re.Match[str] | None:
    """The last match: what was said of a limit at the end is truer than what was said of it before."""
    compiled = re.compile(pattern, re.MULTILINE)
    last = None
    for piece in pieces():
        for match in compiled.finditer(piece):
            last = match
    return last


def _whole(end: Exit) -> Pieces:
    return lambda: (piece for path in _paths(end) for piece in logs.pieces(path))


def _last_words(end: Exit) -> Pieces:
    return lambda: (logs.tail(path, LAST_WORDS) for path in _paths(end))


def _paths(end: Exit) -> tuple[Path, ...]:
    return (end.stdout,) if end.stderr == end.stdout else (end.stdout, end.stderr)
