"""`kitty-run classify` on recorded and on made-up ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kitty_run.cli.main import main

PROFILE = r"""
version: 1
agents:
  robo:
    command: [robo]
    enforce:
      sandbox_mode: {workspace_write: []}
      network_mode: {none: []}
      approval_mode: {supervised: []}
    output: {format: jsonl, message: /text, cost_usd: /cost}
    success: {match: '"done":true'}
    failures:
      - {class: rate_limited, match: 'again at (?P<resets_at>\S+)'}
      - {class: auth, exit_codes: [41]}
roles:
  implement: {agents: [robo]}
  review: {agents: [robo]}
"""


@pytest.fixture
def profile(tmp_path: Path) -> str:
    path = tmp_path / "profile.yaml"
    path.write_text(PROFILE)
    return str(path)


def classified(profile: str, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    assert main(["classify", profile, "robo", "--json", *options]) == 0
    record: dict[str, object] = json.loads(capsys.readouterr().out)
    return record


def test_the_rule_that_fired_is_told(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "err"
    log.write_text("try again at 2026-12-01T00:00:00Z\n")
    record = classified(profile, capsys, "--exit-status", "1", "--stderr", str(log))
    assert record["outcome"] == "rate_limited"
    assert str(record["rule"]).startswith("failures[0]")
    assert record["resets_at"] == "2026-12-01T00:00:00+00:00"


def test_success_tells_message_and_cost_and_masks_secrets(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "out"
    log.write_text('{"text": "used sk-' + "a1" * 20 + '", "cost": 0.5}\n{"done":true}\n')
    record = classified(profile, capsys, "--stdout", str(log))
    assert (record["outcome"], record["message"], record["cost_usd"]) == ("success", "used ***", 0.5)
    assert record["input_tokens"] is None


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        (["--exit-status", "41"], "auth"),
        (["--exit-status", "3"], "failed"),
        ([], "failed"),
        (["--signal", "9"], "crashed"),
        (["--ending", "idle"], "idle"),
    ],
)
def test_ends_without_output_have_their_class(
    profile: str, capsys: pytest.CaptureFixture[str], options: list[str], outcome: str
) -> None:
    assert classified(profile, capsys, *options)["outcome"] == outcome


def test_people_get_lines_with_unknown_for_what_is_not_known(
    profile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", profile, "robo"]) == 0
    text = capsys.readouterr().out
    assert "outcome:       failed" in text
    assert "cost_usd:      unknown" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["nobody"], "there are robo"), (["robo", "--stdout", "/nowhere"], "is not a file")],
)
def test_wrong_names_say_what_there_is(
    profile: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["classify", profile, *arguments]) == 2
    assert words in capsys.readouterr().err
