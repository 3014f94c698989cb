"""`init` writes a profile that is valid at once, for the repository and the agents that are there."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from kitty_run.cli.main import main
from kitty_run.profile.extends.layers import preset_names
from kitty_run.profile.load import load


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    project = tmp_path / "shop"
    project.mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(project)
    return project


def install(repository: Path, *commands: str) -> None:
    for command in commands:
        path = repository.parent / "bin" / command
        path.write_text("#!/bin/sh\n", encoding="utf-8")
        path.chmod(0o755)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_it_takes_what_it_finds(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(repository, "claude", "codex")
    (repository / "kitty-specs" / "001-cart").mkdir(parents=True)
    (repository / "Cargo.toml").touch()
    assert main(["init", "--yes"]) == 0
    assert "kitty-run plan kitty-run.yaml" in capsys.readouterr().err
    profile = load(Path("kitty-run.yaml")).profile
    assert (profile.name, profile.mission) == ("shop", "001-cart")
    assert profile.roles["implement"].agents == ("claude", "codex")
    assert profile.roles["review"].agents == ("codex", "claude")
    assert profile.roles["review"].independent
    assert profile.roles["implement"].checks[0].command == ("cargo", "test")


@pytest.mark.parametrize("name", preset_names())
def test_a_profile_of_any_agent_is_valid_at_once(name: str, repository: Path) -> None:
    assert main(["init", "--yes", "--preset", name]) == 0
    assert main(["validate", "kitty-run.yaml"]) == 0
    assert load(Path("kitty-run.yaml")).profile.roles["implement"].agents


def test_the_modeline_names_a_schema_that_is_there(repository: Path) -> None:
    assert main(["init", "--yes", "--preset", "claude", "team.yaml"]) == 0
    first = Path("team.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert Path(first.partition("$schema=")[2]).is_file()


def test_options_answer_every_question(repository: Path) -> None:
    options = ["--preset", "codex", "--review", "claude", "--mission", "9-x", "--check", "make 'a b'"]
    assert main(["init", *options, "--yes"]) == 0
    profile = load(Path("kitty-run.yaml")).profile
    assert profile.roles["review"].agents == ("claude",)
    assert profile.mission == "9-x"
    assert [check.command for check in profile.roles["implement"].checks] == [("make", "a b")]


def test_on_a_terminal_it_asks(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(repository, "claude")
    monkeypatch.setattr("sys.stdin", Terminal("codex, claude\n\nmake lint; make test\n"))
    assert main(["init"]) == 0
    assert "Agents that implement, in order [claude]: " in capsys.readouterr().err
    profile = load(Path("kitty-run.yaml")).profile
    assert profile.roles["implement"].agents == ("codex", "claude")
    assert profile.mission is None
    assert [check.command for check in profile.roles["implement"].checks] == [
        ("make", "lint"),
        ("make", "test"),
    ]


def test_nothing_is_overwritten(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("kitty-run.yaml").write_text("mine", encoding="utf-8")
    assert main(["init", "--yes", "--preset", "claude"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert Path("kitty-run.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "no agent is on PATH; name one with --preset"),
        (["--preset", "cluade"], "did you mean 'claude'"),
        (["--preset", "claude", "--check", "a 'b"], "the check"),
        (["--preset", "claude", "nowhere/x.yaml"], "can't be written"),
    ],
)
def test_what_can_not_be_written_leaves_nothing(
    options: list[str], message: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "--yes", *options]) == 2
    assert message in capsys.readouterr().err
    assert list(repository.iterdir()) == []
