"""What a stricter base would refuse is seen before anybody has to extend it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kitty_run.cli.main import main

from tests.git_repos import GitRepo

STRICT = """
version: 1
assurance: cli
policy: {sandbox_mode: read_only}
locked: [/policy/sandbox_mode, /assurance]
"""
FITS = "version: 1\nextends: preset:claude\npolicy: {sandbox_mode: read_only}\n"
LOOSE = FITS.replace("read_only", "workspace_write") + "agents: {claude: {args: []}}\n"


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {"strict.yaml": STRICT, "fits.yaml": FITS, "loose.yaml": LOOSE}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_validate_says_what_it_would_refuse_and_where(
    profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "fits.yaml", "loose.yaml", "--evaluate", "strict.yaml"]) == 1
    out, err = capsys.readouterr()
    assert out == "fits.yaml: valid\nloose.yaml: valid\n"
    would = [line for line in err.splitlines() if "strict.yaml would refuse it" in line]
    assert [line.partition(": warning")[0] for line in would] == [
        "loose.yaml:3:24: /policy/sandbox_mode",
        "loose.yaml:4:19: /agents/claude/args",
        "loose.yaml:4:19: /agents/claude/args",
    ]
    assert "locked at strict.yaml:" in would[0]
    assert main(["validate", "loose.yaml"]) == 0


def test_a_profile_that_fits_is_not_refused(profiles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "fits.yaml", "--evaluate", "strict.yaml", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"valid": True, "problems": []}


def test_what_is_wrong_anyway_is_not_laid_to_the_base(
    profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (profiles / "wrong.yaml").write_text(FITS + "limits: {cost_usd: -1}\n", encoding="utf-8")
    assert main(["validate", "wrong.yaml", "--evaluate", "strict.yaml"]) == 2
    assert "would refuse it" not in capsys.readouterr().err


def test_plan_says_it_too(profiles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "loose.yaml", "--evaluate", "strict.yaml"]) == 1
    assert (
        "loose.yaml:3:24: /policy/sandbox_mode: warning: strict.yaml would refuse it"
        in capsys.readouterr().err
    )
    assert main(["plan", "fits.yaml", "--evaluate", "strict.yaml"]) == 0


@pytest.mark.parametrize("base", ["missing.yaml", "git+https://example.com/x", "broken.yaml"])
def test_a_base_that_can_not_be_used_is_a_usage_error(
    base: str, profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (profiles / "broken.yaml").write_text("version: 1\nversion: 1\n", encoding="utf-8")
    assert main(["validate", "fits.yaml", "--evaluate", base]) == 2
    assert f"{base} can't be used as a base" in capsys.readouterr().err


def test_a_base_in_git_takes_the_place_of_its_earlier_revision(
    profiles: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(profiles / "cache"))
    repository = GitRepo(profiles / "team")
    repository.path.mkdir()
    repository.git("init", "-q", "-b", "main")
    old = FITS.replace("read_only", "workspace_write") + "locked: [/policy/sandbox_mode]\n"
    repository.commit("old", **{"base.yaml": old})
    repository.git("tag", "v1")
    repository.commit("new", **{"base.yaml": FITS + "locked: [/policy/sandbox_mode]\n"})
    repository.git("tag", "v2")
    url = f"git+file://{repository.path}"
    (profiles / "team.yaml").write_text(f"version: 1\nextends: ['{url}@v1#base.yaml']\n", encoding="utf-8")
    assert main(["lock", "team.yaml"]) == 0
    capsys.readouterr()
    assert main(["validate", "team.yaml", "--evaluate", f"{url}@v2#base.yaml"]) == 0
    (profiles / "team.yaml").write_text(
        f"version: 1\nextends: ['{url}@v1#base.yaml']\npolicy: {{sandbox_mode: workspace_write}}\n",
        encoding="utf-8",
    )
    assert main(["validate", "team.yaml", "--evaluate", f"{url}@v2#base.yaml"]) == 1
    assert "team.yaml:3:24: /policy/sandbox_mode: warning: " in capsys.readouterr().err
