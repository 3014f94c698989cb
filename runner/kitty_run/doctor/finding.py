"""What was found about one thing that a run needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from kitty_run.errors import ExitStatus


class State(StrEnum):
    """Whether the thing does; only `bad` keeps a run from its end."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing: what it is and how it is. `advice` says what to do, `exit_status` what a `bad` one means."""

    subject: str
    state: State
    text: str
    advice: str = ""
    exit_status: ExitStatus = ExitStatus.INCOMPLETE


def ok(subject: str, text: str) -> Finding:
    """It works."""
    return Finding(subject, State.OK, text)


def note(subject: str, text: str, advice: str = "") -> Finding:
    """It works, but there is something to know."""
    return Finding(subject, State.NOTE, text, advice)


def bad(
    subject: str, text: str, advice: str = "", exit_status: ExitStatus = ExitStatus.INCOMPLETE
) -> Finding:
    """A run can't do with it."""
    return Finding(subject, State.BAD, text, advice, exit_status)


def exit_status(findings: Iterable[Finding]) -> ExitStatus:
    """That of the whole: usage before host before the rest, 0 where nothing is bad."""
    wrong = {finding.exit_status for finding in findings if finding.state is State.BAD}
    order = (ExitStatus.USAGE, ExitStatus.HOST, ExitStatus.INCOMPLETE)
    return next((status for status in order if status in wrong), ExitStatus.OK)
