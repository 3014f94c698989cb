"""The machine and the repository: git's version, who commits, settings that keep work from being merged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from kitty_run.doctor import machine as room
from kitty_run.doctor.finding import State, exit_status
from kitty_run.doctor.machine import machine, repository
from kitty_run.engine.state.repository_lock import repository_lock
from kitty_run.engine.state.run_directory import HOME
from kitty_run.errors import ExitStatus

from tests.doctor.conftest import Install
from tests.doctor.found import collected, of
from tests.git_repos import GitRepo
from tests.hosts import CHECKOUT


@pytest.mark.parametrize("said", ["2.38.5", "1.9", "2.9.0.windows.1"])
def test_a_git_without_what_verifies_merges_is_in_the_way(install: Install, said: str) -> None:
    install("git", f"echo git version {said}")
    found = of(collected(machine()), "git")
    assert (found.state, found.text) == (State.BAD, f"{said} is too old")
    assert found.advice == "install 2.39 or later"
    assert exit_status([found]) is ExitStatus.USAGE


@pytest.mark.parametrize("said", ["2.39.0", "2.100.1", "3.0", "2.39.5 (Apple Git-154)"])
def test_a_git_from_then_on_is_fine(install: Install, said: str) -> None:
    install("git", f"echo 'git version {said}'")
    assert of(collected(machine()), "git").state is State.OK


def test_the_readme_names_the_git_that_the_doctor_wants() -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert f"git {room.GIT[0]}.{room.GIT[1]} or later" in readme
    assert re.findall(r"\bgit (\d+\.\d+)", readme) == [f"{room.GIT[0]}.{room.GIT[1]}"]


def test_a_machine_without_git(install: Install) -> None:
    found = of(collected(machine()), "git")
    assert (found.state, found.text, found.advice) == (State.BAD, "not found", "install git")


def test_daemons_that_could_be_missed_are_noted_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "unavailable", lambda: "this is no Linux")
    found = of(collected(machine()), "processes")
    assert (found.state, "this is no Linux" in found.text) == (State.NOTE, True)
    assert "`ps`" in found.advice


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepo:
    """A repository of a user that git knows nothing of."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    made = GitRepo(tmp_path / "repo")
    made.path.mkdir()
    made.git("init", "-q", "-b", "main")
    return made


def test_a_repository_without_missions_and_without_an_author(repo: GitRepo) -> None:
    found = collected(repository(repo.path))
    assert "no missions (no kitty-specs/*/)" in of(found, "repository").text
    assert of(found, "commits").state is State.NOTE
    assert f"git -C {repo.path} config user.email" in of(found, "commits").text
    assert exit_status(found) is ExitStatus.OK


def test_missions_and_the_author_are_known(repo: GitRepo) -> None:
    for mission in ("beta", "alpha"):
        repo.write(f"kitty-specs/{mission}/tasks/WP01.md", "---\n---\n")
    repo.git("config", "user.email", "mia@example.com")
    found = collected(repository(repo.path))
    assert of(found, "repository").text == f"{repo.path}, missions: alpha, beta"
    assert [finding.subject for finding in found] == ["repository"]


def test_a_run_that_is_under_way_is_noted(repo: GitRepo) -> None:
    with repository_lock(repo.path / HOME / "lock", "demo"):
        found = of(collected(repository(repo.path)), "lock")
    assert found.state is State.NOTE
    assert "runs here since" in found.text
    assert [one.subject for one in collected(repository(repo.path)) if one.subject == "lock"] == []
