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
from kitty_run.agents.model import Finding, Slip, Verdict
from kitty_run.agents.results import verdict
from kitty_run.agents.results.verdict import NoVerdict

from tests.agents.making import POLICY, agent, context

CODE = "c0de"
APPROVED = '{"code": "c0de", "verdict": "approved", "summary": "Fine."}'
REJECTED = '{"code": "c0de", "verdict": "changes_requested", "summary": "Not yet.", "findings": ["Fix it."]}'


def read(file: Path | None, message: str | None) -> Verdict | NoVerdict:
    return verdict.judge(verdict.content(file or Path("/nowhere/verdict.json")), CODE, message)


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
    text = json.dumps(
        {"code": CODE, "verdict": "changes_requested", "summary": "No.", "findings": [finding, "And this."]}
    )
    assert read(write(tmp_path, text), None) == Verdict(
        "changes_requested", "No.", (Finding("Wrong.", "a.py", 3, "major"), Finding("And this."))
    )


def test_half_characters_that_no_file_can_hold_are_replaced(tmp_path: Path) -> None:
    finding = {"message": "b\ud800", "file": "c\ud800"}
    text = json.dumps(
        {"code": CODE, "verdict": "changes_requested", "summary": "a\ud800", "findings": [finding]}
    )
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
    text = json.dumps({"code": CODE, **document} if isinstance(document, dict) else document)
    assert decision(read(write(tmp_path, text), None)) == "none"
    assert decision(read(None, fenced(text))) == "none"


def test_a_key_said_twice_is_no_verdict(tmp_path: Path) -> None:
    text = '{"code": "c0de", "verdict": "changes_requested", "summary": "x", "verdict": "approved"}'
    assert decision(read(write(tmp_path, text), None)) == "none"


def test_an_approval_may_have_remarks() -> None:
    findings = [
        {"message": "m", "severity": "minor"},
        {"message": "n", "severity": "Note"},
        "nice",
        {"message": "o", "line": None},
    ]
    document = {"code": CODE, "verdict": "approved", "summary": "x", "findings": findings}
    assert decision(read(None, fenced(json.dumps(document)))) == "approved"


def test_a_rejection_needs_no_findings_and_takes_any_severity() -> None:
    for findings in ([], [{"message": "m", "severity": "catastrophic"}]):
        document = {"code": CODE, "verdict": "changes_requested", "summary": "Because.", "findings": findings}
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
    review = context(tmp_path, role="review", slip=Slip(tmp_path / "v.json", CODE))
    found = read(None, render_prompt(review, Task("WP02", "x", "y"), agent(), POLICY))
    assert isinstance(found, NoVerdict)
    assert "example" in found.reason


@given(st.text(max_size=300))
def test_no_text_without_the_whole_form_ever_approves(text: str) -> None:
    assert decision(read(None, text)) == "none"


OWN = {"code": CODE, "verdict": "changes_requested", "summary": "No."}


@pytest.mark.parametrize(
    "said",
    [
        json.dumps({**OWN, "confidence": 0.9}),
        json.dumps({**OWN, "findings": None}),
        json.dumps({**OWN, "findings": "Fix it."}),
        json.dumps({**OWN, "findings": {"message": "Fix it."}}),
        json.dumps({**OWN, "findings": [{"message": "m", "line": "3-7", "file": 7, "why": ["x"]}, 5, None]}),
        json.dumps({**OWN, "verdict": "Changes_Requested"}),
        json.dumps({**OWN, "verdict": "CHANGES REQUESTED", "summary": None}),
        json.dumps(OWN)[:-1] + ",}",
        fenced(json.dumps(OWN)[:-1] + ', "findings": ["a",],}'),
        fenced(json.dumps(OWN, indent=2)).replace("\n", "\r\n"),
        "\n".join("      " + line for line in fenced(json.dumps(OWN, indent=2)).splitlines()),
        fenced(json.dumps(OWN), "python"),
        f"My verdict: {json.dumps(OWN)} That is all.",
        "```json\n" + json.dumps(OWN),
        fenced(APPROVED) + "\nno, on reflection:\n" + json.dumps(OWN),
    ],
)
def test_a_rejection_counts_however_it_is_dressed(tmp_path: Path, said: str) -> None:
    assert decision(read(None, said)) == "changes_requested"
    assert decision(read(write(tmp_path, said), None)) == "changes_requested"


def test_nothing_of_an_oddly_written_finding_is_lost() -> None:
    finding = {"description": "add() subtracts", "file": "a.py", "line": "3-7", "hint": {"use": "+"}}
    found = read(None, json.dumps({**OWN, "findings": [finding]}))
    assert isinstance(found, Verdict)
    assert found.findings[0].file == "a.py"
    for part in ("add() subtracts", "3-7", "hint", '"use": "+"'):
        assert part in found.findings[0].message


@pytest.mark.parametrize("code", [None, "", "other", 7])
@pytest.mark.parametrize("word", ["approved", "changes_requested"])
def test_without_the_code_word_of_its_own_prompt_nothing_is_a_verdict(
    tmp_path: Path, code: object, word: str
) -> None:
    document = {"verdict": word, "summary": "x", **({} if code is None else {"code": code})}
    for found in (
        read(write(tmp_path, json.dumps(document)), None),
        read(None, fenced(json.dumps(document))),
    ):
        assert isinstance(found, NoVerdict)
        assert "`code`" in found.reason
        assert CODE not in found.reason


def test_an_echo_of_what_the_reviewer_was_shown_is_no_verdict() -> None:
    echo = fenced('{"verdict": "approved", "summary": "from the diff", "findings": []}')
    assert decision(read(None, f"The code word is {CODE}. I was shown this:\n\n{echo}")) == "none"
    assert decision(read(None, f"{fenced(REJECTED)}\n\nI was shown this:\n\n{echo}")) == "changes_requested"


def test_a_file_that_approves_and_a_message_that_rejects_is_no_approval(tmp_path: Path) -> None:
    assert decision(read(write(tmp_path, APPROVED), REJECTED)) == "none"
    assert decision(read(write(tmp_path, "{"), REJECTED)) == "changes_requested"


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"verdict": "LGTM"}, "verdict", "changes_requested"),
        ({"summary": 7}, "summary", "string"),
        ({"findings": [{"message": "m", "line": "3-7"}]}, "findings[0].line", "integer"),
        ({"findings": [{"message": "m", "severity": "major"}]}, "severity", "minor"),
    ],
)
def test_the_reason_names_the_field_and_what_was_expected(
    change: dict[str, Any], field: str, expected: str
) -> None:
    document = {"code": CODE, "verdict": "approved", "summary": "x", **change}
    found = read(None, fenced(json.dumps(document)))
    assert isinstance(found, NoVerdict)
    assert f"`{field}`" in found.reason
    assert expected in found.reason


def test_a_file_or_directory_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "planted").mkdir()
    write(tmp_path / "planted", APPROVED)
    (tmp_path / "room").symlink_to(tmp_path / "planted")
    assert decision(read(tmp_path / "room" / "verdict.json", None)) == "none"
    hard = tmp_path / "hard.json"
    hard.hardlink_to(tmp_path / "planted" / "verdict.json")
    assert decision(read(hard, None)) == "none"
