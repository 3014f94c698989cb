"""What a CLI itself says of its failure is shown beside the class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kitty_run.agents.results.outcome import classify
from kitty_run.agents.results.own_words import LONGEST
from kitty_run.profile.model import FailureClass, FailureRule

from tests.agents.making import NOW, agent, ended

BUSY = FailureRule(FailureClass.OVERLOADED, match="[Oo]verloaded")


def rule(directory: Path, stdout: str = "", stderr: str = "", **end: Any) -> str:
    return classify(
        agent(failures=(BUSY,)), ended(directory, stdout, stderr, **{"status": 1, **end}), NOW
    ).rule


@pytest.mark.parametrize(
    ("stdout", "stderr", "said"),
    [
        ("", "The service is overloaded today.\n", "The service is overloaded today."),
        ('{"type":"x"}\n{"error":{"message":"It is overloaded.","code":1}}\n', "", "It is overloaded."),
        (
            '{"message":"{\\n \\"error\\": {\\"message\\": \\"Overloaded, deep inside\\"}}"}',
            "",
            "Overloaded, deep inside",
        ),
        ('{"result":"overloaded\\nline two\\nline three"}', "", "overloaded line two"),
        ("", "\x1b[31moverloaded\x1b[0m, in red\n", "overloaded, in red"),
    ],
)
def test_the_words_of_what_a_rule_found(tmp_path: Path, stdout: str, stderr: str, said: str) -> None:
    assert rule(tmp_path, stdout, stderr) == f'failures[0]: overloaded; it says "{said}"'


@pytest.mark.parametrize(
    ("stdout", "stderr", "said"),
    [
        (
            "",
            "starting\nWarning: no colors\nError: sandbox needs socat, which is not found\nbye\n",
            "Error: sandbox needs socat, which is not found",
        ),
        ("", "Traceback (most recent call last):\n  File \"x.py\"\nKeyError: 'x'\n", "KeyError: 'x'"),
        ("", "only this\n", "only this"),
        ("", '{\n  "error": {\n    "message": "too many turns"\n  }\n}\n', "too many turns"),
        (
            '{"type":"start"}\n{"type":"result","subtype":"error_max_turns","is_error":true}\n',
            "",
            "error_max_turns",
        ),
        ("plain output: it cannot do that\n", "", "plain output: it cannot do that"),
    ],
)
def test_the_reason_where_no_rule_matches(tmp_path: Path, stdout: str, stderr: str, said: str) -> None:
    found = rule(tmp_path, stdout, stderr)
    assert found == f'exit status 1, and no rule of `failures` matches; it says "{said}"'


def test_nothing_is_said_of_silence(tmp_path: Path) -> None:
    assert rule(tmp_path) == "exit status 1, and no rule of `failures` matches"


def test_long_words_are_cut(tmp_path: Path) -> None:
    found = rule(tmp_path, "", f"overloaded {'x ' * 5000}\n")
    assert len(found) < LONGEST + 50
    assert found.endswith('..."')
