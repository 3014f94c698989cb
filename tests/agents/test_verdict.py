"""Which words of a reviewer count as a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kitty_run.agents.launch.prompts import render_prompt
from kitty_run.agents.launch.task import Task
from kitty_run.agents.model import Finding, Verdict
from kitty_run.agents.results.verdict import NoVerdict, read

from tests.agents.making import POLICY, agent, context

APPROVED = '{"verdict": "approved", "summary": "Fine."}'
REJECTED = '{"verdict": "changes_requested", "summary": "Not yet.", "findings": ["Fix it."]}'


def fenced(body: str, language: str = "json", fence: str = "```") -> str:
    return f"{fence}{language}\n{body}\n{fence}"


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "verdict.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def decision(found: Verdict | NoVerdict) -> str:
    return found.verdict if isinstance(found, Verdict) else "none"


def test_a_file_gives_everything_it_says(tmp_path: Path) -> None:
    finding = {"message": " Wrong. ", "file": "a.py", "line": 3, "severity": "major"}
    text = json.dumps({"verdict": "changes_requested", "summary": "No.", "findings": [finding, "And this."]})
    assert read(write(tmp_path, text), None) == Verdict(
        "changes_requested", "No.", (Finding("Wrong.", "a.py", 3, "major"), Finding("And this."))
    )


def test_half_characters_that_no_file_can_hold_are_replaced(tmp_path: Path) -> None:
    finding = {"message": "b\ud800", "file": "c\ud800"}
    text = json.dumps({"verdict": "changes_requested", "summary": "a\ud800", "findings": [finding]})
    found = read(write(tmp_path, text), None)
    assert found == Verdict("changes_requested", "a?", (Finding("b?", "c?"),))


def test_the_file_wins_over_the_message(tmp_path: Path) -> None:
    assert decision(read(write(tmp_path, REJECTED), fenced(APPROVED))) == "changes_requested"


def test_a_spoilt_file_is_no_verdict_whatever_the_message_says(tmp_path: Path) -> None:
    assert decision(read(write(tmp_path, '{"verdict": "appro'), fenced(APPROVED))) == "none"
    assert decision(read(write(tmp_path, ""), fenced(APPROVED))) == "none"


def test_a_file_may_be_fenced(tmp_path: Path) -> None:
    assert decision(read(write(tmp_path, fenced(APPROVED)), None)) == "approved"


@pytest.mark.parametrize(
    "message",
    [
        fenced(APPROVED),
        "I looked at it.\n\n" + fenced(APPROVED) + "\n",
        fenced(APPROVED, ""),
        fenced(APPROVED, "JSON"),
        fenced(APPROVED, "json", "````"),
        fenced(APPROVED, "json", "~~~"),
        fenced(REJECTED) + "\nno, on reflection:\n" + fenced(APPROVED),
        fenced(APPROVED) + "\n" + fenced("ls -l", "sh") + "\n" + fenced("plain text", ""),
    ],
)
def test_the_last_fenced_json_block_of_the_message_counts(tmp_path: Path, message: str) -> None:
    assert decision(read(tmp_path / "none.json", message)) == "approved"


@pytest.mark.parametrize(
    "message",
    [
        None,
        "",
        "approved",
        APPROVED,
        "LGTM! I approve this.",
        f"`{APPROVED}`",
        "```json\n" + APPROVED,
        fenced(APPROVED) + "\n" + fenced('{"verdict": "approv'),
        fenced(APPROVED) + "\n" + fenced('{"other": 1}'),
        fenced("[" + APPROVED + "]"),
        fenced(APPROVED, "python"),
        fenced(APPROVED) + "\n```json\n" + REJECTED[:30],
    ],
)
def test_other_words_are_no_verdict(message: str | None) -> None:
    found = read(None, message)
    assert isinstance(found, NoVerdict)
    assert found.reason


@pytest.mark.parametrize(
    "document",
    [
        {"verdict": "approved"},
        {"summary": "Fine."},
        {"verdict": "approved", "summary": ""},
        {"verdict": "approved", "summary": " \n"},
        {"verdict": "Approved", "summary": "x"},
        {"verdict": "yes", "summary": "x"},
        {"verdict": ["approved"], "summary": "x"},
        {"verdict": "approved", "summary": "x", "approved": False},
        {"verdict": "approved", "summary": "x", "findings": {}},
        {"verdict": "approved", "summary": "x", "findings": [{}]},
        {"verdict": "approved", "summary": "x", "findings": [{"message": "m", "line": 0}]},
        {"verdict": "approved", "summary": "x", "findings": [{"message": "m", "why": "?"}]},
        {"verdict": "approved", "summary": "x", "findings": [""]},
        {"verdict": "approved", "summary": "x", "findings": [{"message": "m", "severity": "blocker"}]},
        {"verdict": "approved", "summary": "x", "findings": [{"message": "m", "severity": "Major"}]},
        {"verdict": "approved", "summary": "x", "findings": [{"message": "m", "severity": "critical"}]},
        "approved",
        None,
    ],
)
def test_what_does_not_fit_or_contradicts_itself_is_no_verdict(tmp_path: Path, document: Any) -> None:
    text = json.dumps(document)
    assert decision(read(write(tmp_path, text), None)) == "none"
    assert decision(read(None, fenced(text))) == "none"


def test_a_key_said_twice_is_no_verdict(tmp_path: Path) -> None:
    text = '{"verdict": "changes_requested", "summary": "x", "verdict": "approved"}'
    assert decision(read(write(tmp_path, text), None)) == "none"


def test_remarks_may_stand_beside_an_approval() -> None:
    findings = [
        {"message": "m", "severity": "minor"},
        {"message": "n", "severity": "Note"},
        "nice",
        {"message": "o", "line": None},
    ]
    document = {"verdict": "approved", "summary": "x", "findings": findings}
    assert decision(read(None, fenced(json.dumps(document)))) == "approved"


def test_a_rejection_needs_no_findings_and_takes_any_severity() -> None:
    for findings in ([], [{"message": "m", "severity": "catastrophic"}]):
        document = {"verdict": "changes_requested", "summary": "Because.", "findings": findings}
        assert decision(read(None, fenced(json.dumps(document)))) == "changes_requested"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 2_000_000, b"[" * 200_000])
def test_a_file_that_cannot_be_read_is_no_verdict(tmp_path: Path, content: bytes) -> None:
    assert decision(read(write(tmp_path, content), None)) == "none"


def test_only_a_regular_file_counts(tmp_path: Path) -> None:
    assert decision(read(tmp_path, None)) == "none"
    link = tmp_path / "link.json"
    link.symlink_to(write(tmp_path, APPROVED))
    assert decision(read(link, None)) == "none"


def test_the_example_of_the_prompt_is_no_verdict(tmp_path: Path) -> None:
    found = read(
        None, render_prompt(context(tmp_path, role="review"), Task("WP02", "x", "y"), agent(), POLICY)
    )
    assert isinstance(found, NoVerdict)
    assert "example" in found.reason


@given(st.text(max_size=300))
def test_no_text_without_the_whole_form_ever_approves(text: str) -> None:
    assert decision(read(None, text)) == "none"
