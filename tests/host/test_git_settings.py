"""Git as a host calls it keeps to git's own defaults, whatever the user or the repository has set."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from kitty_run.demo.spec import Topology
from kitty_run.git.command import Git
from kitty_run.host.transport.environment import host_environment
from kitty_run.host.transport.git_settings import with_settings

from tests.e2e.bench import Bench, mission
from tests.git_repos import GitRepo, make_repo
from tests.hosts import MISSION_HOST, RealHost

REFUSING = (
    ("merge.ff", "only"),
    ("commit.gpgsign", "true"),
    ("gpg.program", "/bin/false"),
    ("merge.verifySignatures", "true"),
    ("core.safecrlf", "true"),
    ("core.autocrlf", "input"),
    ("commit.cleanup", "scissors"),
    ("color.ui", "always"),
    ("status.showUntrackedFiles", "no"),
)
HOOK = '#!/bin/sh\necho "hook ran" >&2\nexit 1\n'


def as_host(repo: GitRepo, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A git command in the environment of a host call."""
    env = host_environment(Path("/opt/host/spec-kitty"), {**os.environ, **variables})
    return subprocess.run(
        ["git", *words], cwd=repo.path, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    made = make_repo(tmp_path / "project")
    made.git("config", "user.name", "Mia")
    made.git("config", "user.email", "mia@example.com")
    made.git("checkout", "-q", "-b", "side")
    made.commit("side", side="side\n")
    made.git("checkout", "-q", "main")
    made.commit("main", main="main\n")
    for key, value in REFUSING:
        made.git("config", key, value)
    for name in ("pre-commit", "commit-msg", "pre-merge-commit", "post-checkout", "post-merge"):
        hook = made.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(HOOK)
        hook.chmod(0o755)
    return made


def test_a_hosts_merge_and_commit_are_refused_by_no_setting(repo: GitRepo) -> None:
    merged = as_host(repo, "merge", "side")
    assert merged.returncode == 0, merged.stderr
    repo.write("crlf.txt", "one\r\ntwo\r\n")
    assert "?? crlf.txt" in as_host(repo, "status", "--porcelain").stdout
    assert as_host(repo, "add", "-A").returncode == 0
    committed = as_host(repo, "commit", "-m", "host's own")
    assert committed.returncode == 0, committed.stderr
    assert "hook ran" not in merged.stderr + committed.stderr
    log = as_host(repo, "log", "-p", "-1")
    assert "\x1b" not in log.stdout
    assert log.stderr == ""


def test_variables_lead_a_hosts_git_nowhere_else(repo: GitRepo, tmp_path: Path) -> None:
    other = make_repo(tmp_path / "other")
    away = {
        "GIT_DIR": str(other.path / ".git"),
        "GIT_OBJECT_DIRECTORY": str(other.path / ".git" / "objects"),
        "GIT_CONFIG_PARAMETERS": "'merge.ff'='only'",
        "GIT_EXTERNAL_DIFF": "/bin/false",
        "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z",
    }
    assert as_host(repo, "rev-parse", "--show-toplevel", **away).stdout.strip() == str(repo.path.resolve())
    assert as_host(repo, "merge", "side", **away).returncode == 0
    assert "2001" not in repo.git("log", "-1", "--format=%ai")


def test_the_users_own_settings_in_the_environment_are_kept(repo: GitRepo) -> None:
    own = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": "X: y"}
    assert as_host(repo, "config", "http.extraHeader", **own).stdout == "X: y\n"
    assert as_host(repo, "config", "merge.ff", **own).stdout == "true\n"


def test_who_commits_is_kept_and_made_up_only_where_nobody_is_known(repo: GitRepo) -> None:
    assert asyncio.run(Git(repo.path).unknown_identity()) == {}
    for key in ("user.name", "user.email"):
        repo.git("config", "--unset", key)
    nobody = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "EMAIL"))}
    nobody |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    repo.git("config", "user.useConfigOnly", "true")
    with patch.dict(os.environ, nobody, clear=True):
        assert as_host(repo, "merge", "side").returncode != 0
        settings = asyncio.run(Git(repo.path).unknown_identity())
        assert settings["user.email"] == "kitty-run@localhost"
        assert as_host(repo, "merge", "side", **with_settings({}, settings)).returncode == 0
    assert repo.git("log", "-1", "--format=%an").strip() == "kitty-run"


@pytest.mark.real_host
@pytest.mark.parametrize("topology", ["lanes"])
def test_a_mission_is_merged_by_a_real_host_under_settings_that_refuse_it(
    real_host: Callable[[str], RealHost], tmp_path: Path, topology: Topology
) -> None:
    host = real_host(MISSION_HOST)
    shape = {"WP01": (), "WP02": (), "WP03": ("WP01", "WP02")}
    it = Bench(host, host.project(mission(shape, topology), tmp_path / "project"), tmp_path / "room")
    for key, value in REFUSING:
        it.git("config", key, value)
    ran = it.run()
    assert ran.status == 0, ran.text
    assert it.lanes() == dict.fromkeys(shape, "done")
