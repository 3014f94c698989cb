"""`kitty-run classify` on recorded and on made-up ends."""

from __future__ import annotations

import json
import re
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


def test_the_rule_that_fired_is_named(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "err"
    log.write_text("try again at 2026-12-01T00:00:00Z\n")
    record = classified(profile, capsys, "--exit-status", "1", "--stderr", str(log))
    assert record["outcome"] == "rate_limited"
    assert str(record["rule"]).startswith("failures[0]")
    assert record["resets_at"] == "2026-12-01T00:00:00+00:00"


def test_success_shows_message_and_cost_and_masks_secrets(
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
    [
        (["claude"], "has no agent 'claude' (there are robo)"),
        (["robbo"], "has no agent 'robbo' (did you mean 'robo'?)"),
        (["robo", "--stdout", "/nowhere"], "/nowhere is not a file"),
        (["robo", "--stderr", "/"], "/ is not a file"),
        (["robo", "--exit-status", "1", "--signal", "9"], "in one way only"),
        (["robo", "--exit-status", "1", "--ending", "timeout"], "in one way only"),
    ],
)
def test_wrong_names_say_what_there_is(
    profile: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["classify", profile, *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_log_that_cannot_be_read_is_said_and_not_taken_for_an_empty_one(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "out"
    log.write_text("again at 3pm\n")

    def refuse(path: Path, *arguments: object, **_: object) -> object:
        if path == log:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments)

    opened = Path.open
    monkeypatch.setattr(Path, "open", refuse)
    assert main(["classify", profile, "robo", "--stdout", str(log)]) == 2
    assert f"{log} can't be read: Permission denied" in capsys.readouterr().err


RECORDED = Path(__file__).parents[1] / "agents" / "recorded"


@pytest.mark.parametrize(
    ("recording", "status", "expected"),
    [
        ("claude/cl-unified-stream", 1, ("rate_limited", "2026-11-22T14:16:40+00:00")),
        ("codex/cx-eusage3d", 1, ("rate_limited", "2026-11-25T13:30:00")),
        ("codex/cx-e401", 1, ("auth", "None")),
        ("gemini/gm-e429", 173, ("rate_limited", "None")),
        ("pi/pi-e529", 0, ("overloaded", "None")),
    ],
)
def test_what_real_agents_wrote_is_classified_with_the_presets(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    recording: str,
    status: int,
    expected: tuple[str, str],
) -> None:
    family = recording.partition("/")[0]
    profile = tmp_path / "profile.yaml"
    profile.write_text(f"version: 1\nextends: [preset:{family}]\n")
    whole = (RECORDED / f"{recording}.txt").read_text(encoding="utf-8")
    options = ["--json", "--exit-status", str(status)]
    for stream in ("stdout", "stderr"):
        log = tmp_path / stream
        log.write_text(whole.partition(f"## {stream}\n")[2].partition("\n## ")[0], encoding="utf-8")
        options += [f"--{stream}", str(log)]
    assert main(["classify", str(profile), family, *options]) == 0
    record = json.loads(capsys.readouterr().out)
    outcome, resets_at = expected
    assert record["outcome"] == outcome
    assert re.match(rf'failures\[\d+\]: {outcome}; it says "\w', record["rule"])
    assert str(record["resets_at"]).startswith(resets_at)
