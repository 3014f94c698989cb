"""Findings of the doctor, one at a time as text, and all of them as one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from kitty_run.doctor.finding import Finding, State, exit_status
from kitty_run.report.formatting import count, indented

FORMAT = 1
"""Version of the JSON object, in it as `v`."""

_COLUMN = 20


def as_text(finding: Finding) -> str:
    """A line, and below it what to do."""
    text = f"{finding.state:<5} {finding.subject:<13} {indented(finding.text, _COLUMN)}\n"
    return text + (f"{'':<{_COLUMN}}-> {indented(finding.advice, _COLUMN + 3)}\n" if finding.advice else "")


def verdict(findings: Sequence[Finding]) -> str:
    """The last line."""
    wrong = sum(finding.state is State.BAD for finding in findings)
    return f"\n{count(wrong, 'thing')} to fix.\n" if wrong else "\nNothing is in the way of a run.\n"


def as_json(findings: Sequence[Finding]) -> dict[str, object]:
    """The object that `--json` prints."""
    rows = [{**asdict(finding), "exit_status": int(finding.exit_status)} for finding in findings]
    for one in rows:
        if one["state"] != State.BAD:
            del one["exit_status"]
    return {"v": FORMAT, "exit_status": int(exit_status(findings)), "findings": rows}
