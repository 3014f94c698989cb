"""Patterns of a profile come to an end on every output, and those that never do are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from kitty_run.agents.model import Exit
from kitty_run.agents.results.outcome import classify
from kitty_run.agents.results.output import extract
from kitty_run.profile.model import Agent, FailureClass, FailureRule, Output
from kitty_run.text import patterns
from kitty_run.text.patterns import Late, is_endless, last_in, lines_with

pytestmark = pytest.mark.heavy

ENDLESS = r"^said: (\w+\s?)*$"
HOSTILE = "said: " + "a" * 5000 + "!\n"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little time for each pattern: the hostile ones need more than there is."""
    monkeypatch.setattr(patterns, "SECONDS", 0.3)


def log(folder: Path, text: str) -> Path:
    path = folder / "out.log"
    path.write_text(text, encoding="utf-8")
    return path


def groups(pattern: str, path: Path) -> Mapping[str, str | None] | None:
    found = last_in(pattern, [path])
    return found and found.groups


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(\w+\s?)*$",
        r"(.|\s)*x",
        r"(?:x+x+)+y",
        r"^rate limited: (?:[^ ]+ ?)+$",
        r"error: (?:\d+,?)+;",
        r"^(([a-z])+.)+[A-Z]([a-z])+$",
    ],
)
def test_a_pattern_without_end_is_known(pattern: str) -> None:
    assert is_endless(pattern)


@pytest.mark.parametrize(
    "pattern", [r"(?:\d[\d.]* ?[a-z]+ ?)+x", r"(.|\n)*x", r"(\d+,)+", r"a.*b.*c", r"(?:rate|usage) limit", ""]
)
def test_a_sound_pattern_is_none(pattern: str) -> None:
    assert not is_endless(pattern)


@pytest.mark.parametrize("pattern", [ENDLESS, r"\s+\s+\s+x", r"(a?){60}(a){60}b"])
def test_a_late_search_is_given_up_and_the_next_one_works(tmp_path: Path, pattern: str) -> None:
    path = log(tmp_path, HOSTILE + " " * 50_000 + "\n" + "a" * 5000)
    with pytest.raises(Late, match=r"took more than 0\.3 s"):
        last_in(pattern, [path])
    assert groups(r"^s(?P<word>.+):", path) == {"word": "aid"}


def test_the_last_match_of_a_large_log_is_found(tmp_path: Path) -> None:
    path = log(tmp_path, "".join(f"limit {number}\n" for number in range(300_000)))
    assert groups(r"limit (?P<at>\d+)", path) == {"at": "299999"}
    assert groups(r"limit (?P<at>1)$", path) == {"at": "1"}
    assert last_in(r"limit (?P<at>1)$", [path], limit=1000) is None


def test_the_lines_of_a_match_are_given_back(tmp_path: Path) -> None:
    path = log(tmp_path, "before\n{ a limit\nover two lines }\nafter\n")
    found = last_in(r"limit\nover", [path])
    assert found
    assert found.lines == "{ a limit\nover two lines }"


def test_lines_are_found_where_they_are(tmp_path: Path) -> None:
    lines = [json.dumps({"type": kind, "text": "ü" * 99}) + "\n" for kind in ("a", "b", "a", "other")] * 9
    path = log(tmp_path, "".join(lines))
    found = lines_with(r'"type": "a"[^\n]*', path, ['"text"'])
    data = path.read_bytes()
    assert [data[at : at + length].decode() for at, length in found] == [lines[0]] * 18
    assert lines_with(r'"type": "a"[^\n]*', path, ['"nothing"']) == []


def ended(path: Path) -> Exit:
    return Exit(ending="exit", status=0, signal=None, seconds=1.0, stdout=path, stderr=path)


def agent(**fields: object) -> Agent:
    return Agent(name="ada", family="ada", command=("ada",), **fields)  # type: ignore[arg-type]


def test_a_rule_that_takes_too_long_is_passed_over_and_named(tmp_path: Path) -> None:
    rules = (
        FailureRule(FailureClass.AUTH, match=ENDLESS),
        FailureRule(FailureClass.RATE_LIMITED, match=r"^said: a+!$"),
    )
    outcome = classify(agent(failures=rules), ended(log(tmp_path, HOSTILE)), datetime.now(UTC))
    assert outcome.failure is FailureClass.RATE_LIMITED
    assert "; failures[0] was passed over, since its pattern took more" in outcome.rule


def test_a_success_that_nobody_can_find_is_no_success(tmp_path: Path) -> None:
    outcome = classify(agent(success=ENDLESS), ended(log(tmp_path, HOSTILE)), datetime.now(UTC))
    assert outcome.failure is FailureClass.FAILED
    assert "`success.match` took more than" in outcome.rule


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (Output(usage=ENDLESS), "`output.usage` took more than 0.3 s"),
        (Output(format="jsonl", message="/said", lines=ENDLESS), "`output.lines` took more than 0.3 s"),
    ],
)
def test_what_nobody_can_read_of_an_output_is_unknown(tmp_path: Path, output: Output, told: str) -> None:
    path = log(tmp_path, HOSTILE.replace("!", '!"said"'))
    assert told in extract(output, path).unread
    outcome = classify(agent(output=output), ended(path), datetime.now(UTC))
    assert (outcome.failure, outcome.cost_usd) == (None, None)
    assert told in outcome.rule


def test_the_helper_process_has_nothing_of_the_runners(tmp_path: Path) -> None:
    assert groups(r"(?:a+b)+c", log(tmp_path, "aabaabc" * 500)) == {}
    (helper,) = [one for one in psutil.Process().children() if "pattern_worker.py" in " ".join(one.cmdline())]
    assert helper.environ() == {}
    assert helper.cwd() == "/"
