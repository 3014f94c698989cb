"""What the findings say together: the exit status, the last line, the text and the JSON of each."""

from __future__ import annotations

import pytest
from kitty_run.doctor.finding import Finding, bad, exit_status, note, ok
from kitty_run.doctor.findings_text import as_json, as_text, verdict
from kitty_run.errors import ExitStatus

LATER, HOST, USAGE = (
    bad("agent ada", "`ada` is not on PATH", "install it"),
    bad("host", "no answer", exit_status=ExitStatus.HOST),
    bad("git", "not found", exit_status=ExitStatus.USAGE),
)


@pytest.mark.parametrize(
    ("findings", "status", "last"),
    [
        ([], ExitStatus.OK, "Nothing is in the way of a run."),
        ([ok("git", "2.40"), note("commits", "no author")], ExitStatus.OK, "Nothing is in the way of a run."),
        ([ok("git", "2.40"), LATER], ExitStatus.INCOMPLETE, "1 thing to fix."),
        ([LATER, HOST], ExitStatus.HOST, "2 things to fix."),
        ([HOST, LATER, USAGE], ExitStatus.USAGE, "3 things to fix."),
    ],
)
def test_the_whole_is_as_bad_as_its_worst(findings: list[Finding], status: ExitStatus, last: str) -> None:
    assert exit_status(findings) is status
    assert verdict(findings).strip() == last
    assert as_json(findings)["exit_status"] == int(status)


def test_what_to_do_is_below_what_is_wrong() -> None:
    assert as_text(LATER) == ("bad   agent ada     `ada` is not on PATH\n                    -> install it\n")
    assert as_text(HOST).count("\n") == 1


def test_only_what_is_bad_has_an_exit_status() -> None:
    rows = as_json([ok("git", "2.40"), note("commits", "no author", "set one"), HOST])["findings"]
    assert rows == [
        {"subject": "git", "state": "ok", "text": "2.40", "advice": ""},
        {"subject": "commits", "state": "note", "text": "no author", "advice": "set one"},
        {"subject": "host", "state": "bad", "text": "no answer", "advice": "", "exit_status": 3},
    ]
