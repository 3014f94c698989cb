"""What the end of an agent's process means."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kitty_run.agents.model import Outcome
from kitty_run.agents.results.outcome import classify
from kitty_run.profile.model import FailureClass, FailureRule, Output

from tests.agents.making import NOW, agent, ended

LIMIT = FailureRule(FailureClass.RATE_LIMITED, match=r"try again in (?P<resets_at>[\w ]+)")
AUTH = FailureRule(FailureClass.AUTH, exit_codes=(41,))
BUSY = FailureRule(FailureClass.OVERLOADED, exit_codes=(1,), match="^overloaded$")
RULES = (LIMIT, AUTH, BUSY)


def outcome(
    directory: Path, stdout: str = "", stderr: str = "", success: str | None = None, **end: Any
) -> Outcome:
    return classify(agent(failures=RULES, success=success), ended(directory, stdout, stderr, **end), NOW)


@pytest.mark.parametrize(
    ("ending", "number", "failure"),
    [
        ("signal", 9, FailureClass.CRASHED),
        ("timeout", None, FailureClass.TIMEOUT),
        ("idle", None, FailureClass.IDLE),
        ("not_installed", None, FailureClass.NOT_INSTALLED),
        ("stopped", None, FailureClass.FAILED),
    ],
)
def test_an_end_without_exit_status_has_its_class(
    tmp_path: Path, ending: str, number: int | None, failure: FailureClass
) -> None:
    found = outcome(tmp_path, ending=ending, status=None, signal=number)
    assert found.failure is failure
    assert found.rule


def test_exit_status_0_alone_is_success_where_nothing_else_is_asked(tmp_path: Path) -> None:
    assert outcome(tmp_path, "all good").failure is None


def test_the_success_pattern_must_be_found_too(tmp_path: Path) -> None:
    assert outcome(tmp_path, "", '"ok":true', success='"ok":true').failure is None
    silent = outcome(tmp_path, "whatever", success='"ok":true')
    assert silent.failure is FailureClass.FAILED
    assert "success.match" in silent.rule


def test_a_failure_rule_wins_over_exit_status_0_and_success(tmp_path: Path) -> None:
    found = outcome(tmp_path, "done; try again in 5m", success="done")
    assert found.failure is FailureClass.RATE_LIMITED
    assert found.resets_at == NOW + timedelta(minutes=5)
    assert found.rule.startswith("failures[0]")


def test_a_reset_that_is_no_time_is_reported_and_the_class_is_the_same(tmp_path: Path) -> None:
    found = outcome(tmp_path, "try again in some other year")
    assert (found.failure, found.resets_at) == (FailureClass.RATE_LIMITED, None)
    assert found.rule.startswith("failures[0]: rate_limited; its `resets_at` is no time: 'some other year'")


def test_the_first_rule_that_matches_wins(tmp_path: Path) -> None:
    assert outcome(tmp_path, "try again in 5m", status=41).failure is FailureClass.RATE_LIMITED
    assert outcome(tmp_path, "", status=41).failure is FailureClass.AUTH


def test_every_condition_of_a_rule_must_hold(tmp_path: Path) -> None:
    assert outcome(tmp_path, "x\noverloaded\ny", status=1).failure is FailureClass.OVERLOADED
    assert outcome(tmp_path, "overloaded", status=2).failure is FailureClass.FAILED
    assert outcome(tmp_path, "not overloaded", status=1).failure is FailureClass.FAILED


def test_patterns_are_looked_for_in_both_streams(tmp_path: Path) -> None:
    assert outcome(tmp_path, "", "overloaded\n", status=1).failure is FailureClass.OVERLOADED


def test_an_exit_status_without_rule_is_failed(tmp_path: Path) -> None:
    found = outcome(tmp_path, status=3)
    assert found.failure is FailureClass.FAILED
    assert "exit status 3" in found.rule


def test_the_last_words_of_an_agent_that_hung_explain_why(tmp_path: Path) -> None:
    stuck = outcome(tmp_path, "x" * 100_000 + "\ntry again in 1h", ending="timeout", status=None)
    assert stuck.failure is FailureClass.RATE_LIMITED
    assert stuck.rule.startswith("`timeout`")
    long_ago = outcome(tmp_path, "try again in 1h\n" + "x\n" * 100_000, ending="idle", status=None)
    assert long_ago.failure is FailureClass.IDLE


def test_the_latest_reset_time_counts(tmp_path: Path) -> None:
    found = outcome(tmp_path, "try again in 5m\ntry again in 2h\n", status=1)
    assert found.resets_at == NOW + timedelta(hours=2)


def test_a_reset_time_that_is_not_understood_is_unknown(tmp_path: Path) -> None:
    found = outcome(tmp_path, "try again in soon", status=1)
    assert (found.failure, found.resets_at) == (FailureClass.RATE_LIMITED, None)


def test_money_counts_whatever_the_end(tmp_path: Path) -> None:
    one = agent(output=Output("jsonl", cost_usd=("/cost",)), failures=RULES)
    found = classify(one, ended(tmp_path, '{"cost": 0.5}\n', ending="timeout", status=None), NOW)
    assert found.cost_usd == 0.5


@pytest.mark.parametrize("size", [0, 1_048_570, 3_000_000])
def test_a_pattern_is_found_anywhere_in_a_long_log(tmp_path: Path, size: int) -> None:
    for filler in ("x", "line of text\n"):
        text = filler * (size // len(filler)) + "\noverloaded\n" + filler * (size // len(filler))
        assert outcome(tmp_path, text, status=1).failure is FailureClass.OVERLOADED


def test_what_is_not_utf8_can_be_searched(tmp_path: Path) -> None:
    end = ended(tmp_path, status=1)
    end.stderr.write_bytes(b"\xff\xfe\noverloaded\n\xff")
    assert classify(agent(failures=RULES), end, NOW).failure is FailureClass.OVERLOADED


def test_logs_that_were_removed_are_empty(tmp_path: Path) -> None:
    end = ended(tmp_path, "try again in 5m", status=1)
    end.stdout.unlink()
    end.stderr.unlink()
    assert classify(agent(failures=RULES), end, NOW).failure is FailureClass.FAILED


@pytest.mark.parametrize("ending", ["timeout", "idle"])
@pytest.mark.parametrize("after", ["", "\n", "\n\n \n"])
def test_an_agent_whose_last_line_is_its_success_did_not_fail_by_hanging_after_it(
    tmp_path: Path, ending: str, after: str
) -> None:
    said = 'working\n{"type":"result","is_error":false}' + after
    found = outcome(tmp_path, said, success='^.*"is_error":false', ending=ending, status=None)
    assert found.failure is None
    assert "after the success that its last line reports" in found.rule


@pytest.mark.parametrize(
    "said",
    [
        '{"is_error":false}\nstill at work\n',
        '{"is_error":true}\n',
        "",
        '{"is_error":false}\ntry again in 5m\n',
    ],
)
def test_any_other_last_line_is_the_time_limits(tmp_path: Path, said: str) -> None:
    found = outcome(tmp_path, said, success='"is_error":false', ending="timeout", status=None)
    assert found.failure is not None
