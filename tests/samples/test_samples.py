"""Every profile in sample-configs/ is valid, and can be planned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.demo.spec import MissionSpec, Project, WorkPackageSpec
from kitty_run.profile.load import load

from tests.hosts import CHECKOUT, FEATURE_HOST, SIMULATED_FEATURE, RealHost
from tests.program import kitty_run

pytestmark = pytest.mark.heavy

SAMPLES = sorted((CHECKOUT / "sample-configs").rglob("*.yaml"))


def names(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@pytest.mark.parametrize("path", SAMPLES, ids=names)
def test_it_is_valid(path: Path) -> None:
    done = kitty_run("validate", str(path), cwd=CHECKOUT)
    assert done.status == 0, done.out + done.err


@pytest.mark.parametrize("path", SAMPLES, ids=names)
def test_it_names_the_schema_that_editors_use(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    _, _, schema = first.partition("yaml-language-server: $schema=")
    assert (path.parent / schema).resolve() == CHECKOUT / "schemas/profile.schema.json"


@pytest.mark.parametrize(
    "version",
    [SIMULATED_FEATURE, pytest.param(FEATURE_HOST, marks=[pytest.mark.real_host, pytest.mark.slow])],
)
@pytest.mark.parametrize("path", [path for path in SAMPLES if "base" not in path.parts], ids=names)
def test_it_can_be_planned(
    path: Path,
    version: str,
    real_host: Callable[[str], RealHost],
    real_project: Callable[[str, MissionSpec], Project],
) -> None:
    project = real_project(version, MissionSpec("034-payment", (WorkPackageSpec("WP01", "First"),), None))
    words = ("plan", str(path), "--mission", project.mission)
    done = kitty_run(*words, cwd=project.root, env=real_host(version).env)
    assert done.status == 0, done.err
    assert "WP01" in done.out


def test_the_reviewing_family_is_another_where_the_sample_says_so() -> None:
    profile = load(CHECKOUT / "sample-configs/claude-codex.yaml").profile
    assert profile.roles["review"].independent
    families = {profile.agents[name].family for name in profile.roles["review"].agents}
    assert families == {"claude", "codex"}
