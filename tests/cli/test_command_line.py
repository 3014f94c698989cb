"""What the command line says and answers before any run: help, mistakes, exit statuses, and its start-up."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from kitty_run import __version__
from kitty_run.cli.main import COMMANDS, main
from kitty_run.errors import ExitStatus
from kitty_run.resources import data_root

from tests.cli.project import kitty_run


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == ExitStatus.OK
    assert capsys.readouterr().out == f"kitty-run {__version__}\n"


SLOW = ("jinja2", "jsonschema", "rich", "loguru", "yaml", "psutil", "asyncio")


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["run", "--help"], ["plan", "--help"]], ids=str)
def test_nothing_slow_is_imported_to_list_the_commands(words: list[str]) -> None:
    code = (
        "import sys\nfrom kitty_run.cli.main import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(repr(sorted(set({SLOW!r}) & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stderr) == []


def test_without_a_word_it_says_how_it_is_used(tmp_path: Path) -> None:
    done = kitty_run(cwd=tmp_path)
    assert done.status == ExitStatus.USAGE
    assert "usage: kitty-run PROFILE" in done.err


def test_help_lists_every_command_with_its_line(tmp_path: Path) -> None:
    done = kitty_run("--help", cwd=tmp_path)
    assert done.status == ExitStatus.OK
    text = " ".join(done.out.split())
    assert all(f"{name} {line}" in text for name, line in COMMANDS.items())
    assert "Exit status:" in text


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: kitty-run {name}")


@pytest.mark.parametrize("words", [("nonsense.yaml",), ("plan", "nonsense.yaml"), ("run", "nonsense.yaml")])
def test_a_profile_that_is_not_there(words: tuple[str, ...], tmp_path: Path) -> None:
    done = kitty_run(*words, cwd=tmp_path)
    assert done.status == ExitStatus.USAGE
    assert "nonsense.yaml" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("words", [("--nonsense",), ("plan",), ("status", "--json", "--watch"), ("approve",)])
def test_wrong_usage(words: tuple[str, ...], tmp_path: Path) -> None:
    done = kitty_run(*words, cwd=tmp_path)
    assert done.status == ExitStatus.USAGE
    assert "usage:" in done.err
    assert done.out == ""


def test_a_mistyped_command_is_taken_for_a_profile_and_a_command_is_suggested(tmp_path: Path) -> None:
    done = kitty_run("statsu", cwd=tmp_path)
    assert done.status == ExitStatus.USAGE
    assert "`kitty-run status`" in done.err


def test_a_set_that_is_none(tmp_path: Path) -> None:
    sample = data_root() / "sample-configs" / "quickstart.yaml"
    done = kitty_run("plan", str(sample), "--set", "work_packages", cwd=tmp_path)
    assert done.status == ExitStatus.USAGE
    assert "--set /POINTER=VALUE" in done.err


@pytest.mark.parametrize("name", ["profile", "verdict", "event", "report", "host"])
def test_every_schema_is_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", name]) == ExitStatus.OK
    assert json.loads(capsys.readouterr().out)["$schema"].endswith("2020-12/schema")


def test_an_unknown_schema_lists_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "nonsense"]) == ExitStatus.USAGE
    assert "event, host, profile, report, verdict" in capsys.readouterr().err
