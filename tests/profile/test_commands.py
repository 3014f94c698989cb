"""The profile's commands as a user calls them: output, streams and exit statuses."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from kitty_run.cli.main import main
from kitty_run.profile.views.show import wants_colour

PROFILES = Path(__file__).resolve().parents[1] / "profiles"
SOUND = "extends: [parts/sound.yaml]"


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "parts").mkdir()
    sound = (PROFILES / "valid" / "parts" / "sound.yaml").read_text(encoding="utf-8")
    (tmp_path / "parts" / "sound.yaml").write_text(sound, encoding="utf-8")
    (tmp_path / "good.yaml").write_text(f"version: 1\n{SOUND}\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(f"version: 1\n{SOUND}\nhost: {{tiemout: 3s}}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_sound_profile_is_valid(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "good.yaml"]) == 0
    assert capsys.readouterr().out == "good.yaml: valid\n"


def test_a_wrong_profile_is_reported_with_its_line_and_a_caret(
    team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "good.yaml", "bad.yaml"]) == 2
    output = capsys.readouterr()
    assert output.out == "good.yaml: valid\n"
    assert output.err == (
        "bad.yaml:3:8: /host/tiemout: unknown key 'tiemout' (did you mean 'timeout'?)\n"
        "    host: {tiemout: 3s}\n"
        "           ^\n"
    )


def test_a_mistake_in_a_shared_base_is_reported_once(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one.yaml", "two.yaml"):
        (team / name).write_text("version: 1\nextends: [bad.yaml]\n", encoding="utf-8")
    assert main(["validate", "one.yaml", "two.yaml"]) == 2
    assert capsys.readouterr().err.count("unknown key") == 1


def test_problems_are_json_for_programs(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "bad.yaml", "--format", "json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["valid"] is False
    assert report["problems"] == [
        {
            "file": "bad.yaml",
            "line": 3,
            "column": 8,
            "pointer": "/host/tiemout",
            "message": "unknown key 'tiemout'",
            "hint": "did you mean 'timeout'?",
            "excerpt": "host: {tiemout: 3s}",
            "severity": "error",
        }
    ]


def test_problems_are_annotations_for_code_review(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (team / "a,b.yaml").write_text("version: 1\nname: 100%\nhost: 3\n", encoding="utf-8")
    assert main(["validate", "a,b.yaml", "--format", "github"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("::error file=a%2Cb.yaml,line=3,col=7::/host: must be a mapping")


def test_a_valid_profile_is_nothing_to_annotate(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "good.yaml", "--format", "github"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("beside", [(), ("bad.yaml",)], ids=["alone", "beside-an-error"])
def test_a_warning_is_printed_and_changes_no_status(
    beside: tuple[str, ...], team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (team / "odd.yaml").write_text(f"version: 1\n{SOUND}\nlimits: {{cost_usd: 3}}\n", encoding="utf-8")
    status = 2 if beside else 0
    said = (
        "does not see what coder, judge used, since their `output` does not map `cost_usd`, nor what `prices`"
    )
    assert main(["validate", "odd.yaml", *beside]) == status
    output = capsys.readouterr()
    assert output.out == "odd.yaml: valid\n"
    assert f"odd.yaml:3:20: /limits/cost_usd: warning: {said}" in output.err
    assert main(["validate", "odd.yaml", *beside, "--format", "json"]) == status
    report = json.loads(capsys.readouterr().out)
    assert report["valid"] is (not beside)
    assert [problem["severity"] for problem in report["problems"]] == [*("error" for _ in beside), "warning"]
    assert main(["validate", "odd.yaml", *beside, "--format", "github"]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith(f"::warning file=odd.yaml,line=3,col=20::/limits/cost_usd: {said}")


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:

    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_colour(Terminal())
    assert not wants_colour(StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_colour(Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(Terminal())


def test_a_run_of_a_wrong_profile_starts_nothing(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bad.yaml", "--mission", "x"]) == 2
    error = capsys.readouterr().err
    assert "bad.yaml:3:8: /host/tiemout: unknown key 'tiemout' (did you mean 'timeout'?)" in error
    assert not (team / ".kitty-run").exists()


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "kitty-run profile, version 1"
    assert main(["schema", "nothing"]) == 2
    assert "known: event, host" in capsys.readouterr().err


def test_presets_are_listed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert "claude" in names
    assert "defaults" not in names
    assert main(["presets", "claude"]) == 0
    assert "agents:" in capsys.readouterr().out
    assert main(["presets", "cluade"]) == 2


def test_a_retry_row_is_forecast_attempt_by_attempt(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = "{do: retry, attempts: 3, backoff: {initial: 40s, factor: 2, max: 90s, jitter: 0.5}, then: abort}"
    (team / "mine.yaml").write_text(
        f"version: 1\n{SOUND}\nretry:\n  agent:\n    idle: {row}\n", encoding="utf-8"
    )
    assert main(["explain", "mine.yaml", "--retry", "agent:idle"]) == 0
    assert capsys.readouterr().out == (
        "agent:idle: the row 'idle' (mine.yaml:5)\n"
        "   1. wait 40s (20s to 1m), then try again\n"
        "   2. wait 1m20s (40s to 2m), then try again\n"
        "   3. wait 1m30s (45s to 2m15s), then try again\n"
        "  then abort after 3m30s of waiting: end the run\n"
    )
    assert main(["explain", "mine.yaml", "--retry", "agent:idle", "--json"]) == 0
    assert [repeat["wait"] for repeat in json.loads(capsys.readouterr().out)["repeats"]] == [40, 80, 90]


@pytest.mark.parametrize(("backoff", "time"), [("", "5m"), (", backoff: {initial: 45s}", "45s")])
def test_a_limit_that_leads_to_the_next_agent_is_forecast_for_the_others_too(
    team: Path, capsys: pytest.CaptureFixture[str], backoff: str, time: str
) -> None:
    row = f"{{do: fallback{backoff}}}"
    (team / "mine.yaml").write_text(
        f"version: 1\n{SOUND}\nretry:\n  agent:\n    rate_limited: {row}\n    auth: {row}\n", encoding="utf-8"
    )
    assert main(["explain", "mine.yaml", "--retry", "agent:rate_limited"]) == 0
    assert capsys.readouterr().out == (
        "agent:rate_limited: the row 'rate_limited' (mine.yaml:5)\n"
        "  then fallback: take the role's next agent, or block where there is none\n"
        f"      (others do so without an attempt, until the limit that is named ends, or for {time})\n"
    )
    assert main(["explain", "mine.yaml", "--retry", "agent:auth"]) == 0
    assert "others" not in capsys.readouterr().out


def test_a_failure_without_a_row_takes_the_default(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "good.yaml", "--retry", "host:SOMETHING_NEW"]) == 0
    text = capsys.readouterr().out
    assert "no row of its own: `default`" in text
    assert "read the mission again" in text
    assert "then pause after 1s of waiting" in text


@pytest.mark.parametrize("what", ["agent:nothing", "agent", "x:y", "review:approved"])
def test_a_failure_that_can_not_happen_is_a_usage_error(
    what: str, team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "good.yaml", "--retry", what]) == 2
    assert what in capsys.readouterr().err


def test_explain_shows_one_value_and_all_of_them(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "good.yaml", "/roles/implement/agents", "--set", "/host/start=cold"]) == 0
    assert capsys.readouterr().out.startswith("/roles/implement/agents: [coder]\n")
    assert main(["explain", "good.yaml", "--json"]) == 0
    assert {"pointer", "value", "file", "line", "column"} == set(json.loads(capsys.readouterr().out)[0])


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        (
            "/concurrency/work_packages=many",
            "--set[1]:1:28: /concurrency/work_packages: must be a whole number",
        ),
        ("/concurency/x=1", "--set[1]:1:1: /concurency: unknown key 'concurency'"),
        ("/host/timeout=5", "must be a duration, is the number 5"),
        ("/a~b=5", "not a JSON pointer"),
        ("/host=[1", "not YAML"),
        ("/policy/sandbox_mode=none", "can't keep sandbox_mode: none"),
    ],
)
def test_settings_are_checked_like_any_layer(
    setting: str, problem: str, team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "good.yaml", "--set", setting]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("/concurrency/work_packages=8", "/concurrency/work_packages: 8"),
        ("/finish/merge=false", "/finish/merge: false"),
        ("/roles/implement/agents=[judge, coder]", "/roles/implement/agents: [judge, coder]"),
        ("/commit/message={{ wp.id }}", '/commit/message: "{{ wp.id }}"'),
        ("/retry/agent/idle={do: block}", "/retry/agent/idle: {do: block}"),
        ("/mission=", "/mission: not set"),
    ],
)
def test_settings_change_one_value(
    setting: str, shown: str, team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pointer = setting.partition("=")[0]
    assert main(["explain", "good.yaml", pointer, "--set", setting]) == 0
    assert capsys.readouterr().out.splitlines()[0] == shown
