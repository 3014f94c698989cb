"""The wheel works by itself: in a fresh environment, far from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.hosts import CHECKOUT, FEATURE_HOST, install

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`kitty-run` installed from a wheel that was just built."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(CHECKOUT)], folder)
    (wheel,) = folder.glob("kitty_run-*.whl")
    venv.create(folder / "venv", with_pip=True)
    pip = [str(folder / "venv/bin/python"), "-m", "pip", "install", "--quiet"]
    run([*pip, "--disable-pip-version-check", str(wheel)], folder)
    return folder / "venv/bin/kitty-run"


def run(argv: list[str], cwd: Path, status: int = 0) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_command_says_its_version(program: Path, tmp_path: Path) -> None:
    assert run([str(program), "--version"], tmp_path).startswith("kitty-run 0.")


def test_the_schemas_are_inside(program: Path, tmp_path: Path) -> None:
    assert '"$schema"' in run([str(program), "schema", "profile"], tmp_path)


def test_the_sample_profiles_are_inside_and_valid(program: Path, tmp_path: Path) -> None:
    (samples,) = program.parents[1].glob("lib/*/site-packages/kitty_run/_data/sample-configs")
    assert run([str(program), "validate", str(samples / "claude-codex.yaml")], tmp_path)


def test_a_wrong_profile_is_refused_with_its_line(program: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("version: 1\nnmae: x\n", encoding="utf-8")
    assert "mine.yaml:2:1" in run([str(program), "validate", "mine.yaml"], tmp_path, status=2)


@pytest.mark.real_host
def test_the_demo_runs_from_the_wheel(program: Path, tmp_path: Path) -> None:
    host = install(FEATURE_HOST).script
    run([str(program), "demo", "--keep", "demo", "--host", str(host)], tmp_path)
    assert (tmp_path / "demo/project/texttools/summary.py").is_file()
