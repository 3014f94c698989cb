"""Every profile in sample-configs/ is valid, and can be planned."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from kitty_run.profile.load import load

from tests.hosts import CHECKOUT

SAMPLES = sorted((CHECKOUT / "sample-configs").rglob("*.yaml"))


def names(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@pytest.mark.parametrize("path", SAMPLES, ids=names)
def test_it_is_valid(path: Path) -> None:
    argv = [sys.executable, "-m", "kitty_run", "validate", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", SAMPLES, ids=names)
def test_it_names_the_schema_that_editors_use(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    _, _, schema = first.partition("yaml-language-server: $schema=")
    assert (path.parent / schema).resolve() == CHECKOUT / "schemas/profile.schema.json"


def test_the_reviewing_family_is_another_where_the_sample_says_so() -> None:
    profile = load(CHECKOUT / "sample-configs/claude-codex.yaml").profile
    assert profile.roles["review"].independent
    families = {profile.agents[name].family for name in profile.roles["review"].agents}
    assert families == {"claude", "codex"}
