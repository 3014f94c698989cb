"""What the end of an agent's process means: success, or which class of failure, and what decided it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from kitty_run.agents.model import Ending, Exit, Outcome
from kitty_run.agents.results import reset_times
from kitty_run.agents.results.failure_texts import class_of
from kitty_run.agents.results.named_reset import named_reset
from kitty_run.agents.results.output import extract
from kitty_run.agents.results.own_words import has_message, own_words, reason_in
from kitty_run.agents.results.session_files import with_session_files
from kitty_run.profile.model import Agent, FailureClass, FailureRule
from kitty_run.text import logs, patterns
from kitty_run.text.characters import plain

LAST_WORDS = 64 * 1024
"""Bytes at the end of each log that can explain why an agent that had to be ended was stuck."""

LONGEST_TIME = 200
"""Characters of a `resets_at` that are read as a time."""

WAITED_FOR = (FailureClass.RATE_LIMITED, FailureClass.OVERLOADED)
"""What ends by itself, at a moment that its own text may name."""

NOWHERE: Mapping[str, str] = {}
"""The environment of an agent that ran nobody knows where."""

_ANY = patterns.Found({}, "", "")

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


@dataclass(frozen=True, slots=True)
class Decision:
    """The class of failure (None: success), what decided it, and when the limit ends that it names."""

    failure: FailureClass | None
    rule: str
    resets_at: datetime | None = None


def classify(
    agent: Agent,
    exit: Exit,  # noqa: A002 - it is one
    now: datetime,
    environment: Mapping[str, str] = NOWHERE,
) -> Outcome:
    """What `exit` of `agent` came to; reads its logs in bounded memory and blocks: call it in a thread.

    `failures` are tried in order and the first that matches wins, also on exit status 0, on the whole of
    both logs; of an agent that was ended by a time limit only on the last 64 KiB of each, which say what it
    was waiting for; where none matches and the last line is what `success` asks for, it succeeded. Patterns
    are searched with `^` and `$` matching at lines; a match must not be longer than 64 KiB. Where a rule of
    `rate_limited` or `overloaded` captures no `resets_at`, it is looked for in the lines of its match
    (`named_reset`). Where no rule matches, exit status 0 with what `success` asks for is success, and all
    else `failed`. `now` is aware, in the zone that clock times without a zone are in. `environment`, the
    agent's, says where its CLI keeps its session files; without one they are not read.
    """
    decision = _decide(agent, exit, now)
    found = with_session_files(agent.output, extract(agent.output, exit.stdout), environment)
    return Outcome(
        failure=decision.failure,
        rule=f"{decision.rule}; {found.unread}" if found.unread else decision.rule,
        exit=exit,
        message=found.message,
        session=found.session,
        cost_usd=found.cost_usd,
        models=found.models,
        resets_at=decision.resets_at,
    )


def _decide(agent: Agent, end: Exit, now: datetime) -> Decision:
    if end.ending in DECIDED:
        failure, why = DECIDED[end.ending]
        why = why.format(command=agent.command[0])
        return Decision(failure, f"{why}{'' if end.signal is None else f' ({end.signal})'}")
    rule, late = _first_rule(agent.failures, end, now)
    if end.ending in STUCK:
        failure, why = STUCK[end.ending]
        stuck = Decision(None, f"{why}, after the success that its last line reports")
        if rule:
            found = replace(rule, rule=f"{why}; {rule.rule}")
        else:
            found = stuck if _succeeded_before(agent, end) else Decision(failure, why)
    else:
        found = rule or _without_rule(agent, end)
    return replace(found, rule=f"{found.rule}{late}")


def _succeeded_before(agent: Agent, end: Exit) -> bool:
    """Whether the last thing that an agent said before it had to be ended is what `success` asks for."""
    if agent.success is None:
        return False
    try:
        limit = logs.last_line(end.stdout, LAST_WORDS)
        return patterns.last_in(agent.success, (end.stdout,), limit=limit) is not None
    except patterns.Late:
        return False


def _without_rule(agent: Agent, end: Exit) -> Decision:
    if end.status != 0:
        why = f"exit status {end.status}, and no rule of `failures` matches{_quoted(_reason(end))}"
        return Decision(FailureClass.FAILED, why)
    if agent.success is None:
        return Decision(None, "exit status 0")
    try:
        found = patterns.last_in(agent.success, _paths(end))
    except patterns.Late as late:
        return Decision(FailureClass.FAILED, f"exit status 0, but `success.match` {late} on its output")
    if found is None:
        why = "exit status 0, but `success.match` is not found in the output"
        return Decision(FailureClass.FAILED, f"{why}{_quoted(_reason(end))}")
    return Decision(None, "exit status 0 and `success.match`")


def _first_rule(rules: tuple[FailureRule, ...], end: Exit, now: datetime) -> tuple[Decision | None, str]:
    """What the first of `rules` that matches decides, and which ones were passed over."""
    limit, late = LAST_WORDS if end.ending in STUCK else None, ""
    for number, rule in enumerate(rules):
        if rule.exit_codes and end.status not in rule.exit_codes:
            continue
        try:
            # The last match: what was said of a limit at the end is truer than what was said of it before.
            found = _ANY if rule.match is None else patterns.last_in(rule.match, _paths(end), limit=limit)
        except patterns.Late as error:
            late += f"; failures[{number}] was passed over, since its pattern {error} on the output"
            continue
        if found is not None and (failure := rule.failure or class_of(found.text)):
            return _decided(number, failure, found, now), late
    return None, late


def _decided(number: int, failure: FailureClass, found: patterns.Found, now: datetime) -> Decision:
    named = found.groups.get("resets_at")
    resets_at = None if named is None else reset_times.parse(named[:LONGEST_TIME], now)
    if resets_at is None and failure in WAITED_FOR:
        resets_at = named_reset(found.text, now) or named_reset(found.lines, now)
    said = own_words(plain(found.text if has_message(found.text) else found.lines))
    said = "" if said.casefold() == failure.value else said
    unread = "" if named is None or resets_at is not None else f"; its `resets_at` is no time: {named[:60]!r}"
    return Decision(failure, f"failures[{number}]: {failure}{unread}{_quoted(said)}", resets_at)


def _reason(end: Exit) -> str:
    stderr, stdout = (plain(logs.tail(path, LAST_WORDS)) for path in (end.stderr, end.stdout))
    return reason_in(stderr, stdout)


def _quoted(words: str) -> str:
    return f'; it says "{words}"' if words else ""


def _paths(end: Exit) -> tuple[Path, ...]:
    return (end.stdout,) if end.stderr == end.stdout else (end.stdout, end.stderr)
