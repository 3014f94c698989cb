"""A repository to extend from, and a project to load profiles in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.profile.extends.git_fixture import Remote


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return Remote(tmp_path / "remote")
