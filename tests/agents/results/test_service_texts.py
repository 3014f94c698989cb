"""Texts of limits, money, sign-in, load and network, as every family's CLI would write them."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from kitty_run.agents.results.named_reset import named_reset
from kitty_run.agents.results.outcome import classify
from kitty_run.profile.load import load
from kitty_run.profile.model import Agent

from tests.agents.making import NOW, ended
from tests.agents.results.service_errors import WRITE

TEXTS = yaml.safe_load(Path(__file__).with_name("service_texts.yaml").read_text(encoding="utf-8"))


@cache
def shipped(family: str) -> Agent:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "profile.yaml"
        policy = "{sandbox_mode: workspace_write, network_mode: open, dangerous_flags: [--yes-always]}"
        path.write_text(f"version: 1\nextends: [preset:{family}]\npolicy: {policy}\n", encoding="utf-8")
        return load(path).profile.agents[family]


def expected(reset: float | str | None) -> datetime | None:
    if isinstance(reset, int | float):
        return NOW + timedelta(seconds=reset)
    return datetime.fromisoformat(reset) if reset else None


PAIRS = [
    pytest.param(
        family,
        row,
        id=f"{family}: {row['text'][:40]}",
        marks=[pytest.mark.slow] if (number + place) % 5 else [],
    )
    for number, row in enumerate(TEXTS)
    for place, family in enumerate(sorted(WRITE))
]
"""Every text as every family writes it; each family meets a fifth of them where time is short."""


@pytest.mark.parametrize(("family", "row"), PAIRS)
def test_a_service_error_has_its_class_and_its_end(tmp_path: Path, family: str, row: dict[str, Any]) -> None:
    written = WRITE[family](row["text"], row.get("status"))
    end = ended(tmp_path, written.stdout, written.stderr, status=written.status)
    found = classify(shipped(family), end, NOW)
    assert found.failure == row["class"], found.rule
    assert found.resets_at == expected(row.get("reset"))


TALKS = (
    "Fixed the limiter: who exceeded the rate limit now gets 429 Too Many Requests and retry-after: 30.",
    "The test says 'You've hit your usage limit, try again at 11:45 PM', and it passes.",
    "Added handling of ECONNREFUSED, fetch failed, 503 Service Unavailable and overloaded_error.",
    "Sign-in: 'Not logged in · Please run /login' is shown where the token expired.",
    "Documented that 'Credit balance is too low' needs a person; 'quota will reset after 8h44m7s' does not.",
    "The prompt is too long error (maximum context length) is now caught.",
)


def _done(family: str, text: str) -> tuple[str, str]:
    """The result of a good run whose final message is `text`: standard output and error."""

    def lines(*documents: Any) -> str:
        return "".join(
            json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in documents
        )

    tokens = {"input": 1, "output": 1}
    done: dict[str, str] = {
        "claude": lines({"is_error": False, "subtype": "success", "result": text, "type": "result"}),
        "codex": lines(
            {"type": "item.completed", "item": {"type": "agent_message", "text": text}},
            {"type": "turn.completed", "usage": {"input_tokens": 1, "output_tokens": 1}},
        ),
        "gemini": json.dumps({"session_id": "s", "response": text, "stats": {}}, indent=2),
        "opencode": lines(
            {"type": "text", "part": {"text": text}},
            {"type": "step_finish", "part": {"reason": "stop", "tokens": tokens, "cost": 0.1}},
        ),
        "copilot": lines(
            {"type": "assistant.message", "data": {"content": text}},
            {"type": "result", "sessionId": "s", "exitCode": 0, "usage": {}},
        ),
        "qwen": lines({"type": "result", "subtype": "success", "is_error": False, "result": text}),
        "pi": lines(
            {"type": "turn_end", "message": {"content": [{"text": text}], "stopReason": "stop"}},
        ),
        "letta": lines({"type": "result", "subtype": "success", "is_error": False, "result": text}),
        "kimi": lines({"role": "assistant", "content": text}, {"type": "session.resume_hint"}),
        "vibe": lines({"role": "assistant", "content": text}),
        "cursor": lines({"type": "result", "is_error": False, "result": text}),
        "aider": f"{text}\nTokens: 2.1k sent, 90 received.\n",
        "augment": lines({"type": "result", "result": text, "is_error": False}),
    }
    return done["opencode" if family == "kilocode" else family], ""


@pytest.mark.parametrize("family", sorted(WRITE))
@pytest.mark.parametrize("text", TALKS)
def test_a_good_result_that_only_talks_about_limits_is_one(tmp_path: Path, family: str, text: str) -> None:
    stdout, stderr = _done(family, text)
    found = classify(shipped(family), ended(tmp_path, stdout, stderr), NOW)
    assert found.failure is None, found.rule


@pytest.mark.parametrize(
    ("text", "reset"),
    [
        ("resets 15h30", None),
        ("try again at 3", None),
        ("reset at 11/25/2026 1:30 PM", None),
        ("resets at 2026年11月25日 13:30", None),
        ("try again at 11:52 10 de jul. de 2026.", None),
        ("will reset at 2026-11-22T15:00:00.500Z", "2026-11-22T15:00:00.500+00:00"),
        ('{\\"error\\":{\\"resets_in_seconds\\":5000}}', 5000),
        ("try again at 2:30 p.m. Visit us", "2026-11-22T14:30:00+01:00"),
        ("Try again in 1 hour and 3 minutes, or upgrade", 3780),
        ("resets Jan 2 at 8am (Europe/Berlin)", "2027-01-02T08:00:00+01:00"),
        ("Retry-After: Sun, 22 Nov 2026 15:00:00 GMT", "2026-11-22T15:00:00+00:00"),
        ("5-hour limit resets at 3pm, weekly limit resets at Nov 26, 9am", "2026-11-26T09:00:00+01:00"),
        ("try again in 20000 days", None),
        ("try again later", None),
        ("", None),
    ],
)
def test_what_a_text_names(text: str, reset: float | str | None) -> None:
    assert named_reset(text, NOW) == expected(reset)
