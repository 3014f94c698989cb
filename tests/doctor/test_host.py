"""The host: whether it is there, what it is, and why it is not asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.doctor.finding import Finding, State, exit_status
from kitty_run.doctor.host import host
from kitty_run.engine.state.repository_lock import repository_lock
from kitty_run.engine.state.run_directory import HOME
from kitty_run.errors import ExitStatus
from kitty_run.profile.model import HostConfig

from tests import simulated_host
from tests.doctor.found import collected, of
from tests.git_repos import GitRepo

pytestmark = pytest.mark.heavy

TASK = "---\nwork_package_id: WP01\ndependencies: []\n---\nWrite.\n"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    made = GitRepo(tmp_path / "repo")
    made.path.mkdir()
    made.git("init", "-q", "-b", "main")
    made.commit("plan", **{"kitty-specs/demo/tasks/WP01.md": TASK, ".kittify/x": ""})
    return made


@pytest.fixture
def config(tmp_path: Path) -> HostConfig:
    return HostConfig(command=(str(simulated_host.install(tmp_path)),))


def found(config: HostConfig, repo: GitRepo, mission: str | None = None) -> list[Finding]:
    return collected(host(config, repo.path, mission))


def test_a_host_is_named_with_its_contract(config: HostConfig, repo: GitRepo) -> None:
    findings = found(config, repo)
    assert of(findings, "host").text == f"{config.command[0]}, started warm"
    assert of(findings, "contract").text.startswith("1.5.0, dialect mission: ")
    assert exit_status(findings) is ExitStatus.OK


def test_a_mission_is_shown_with_its_lanes(config: HostConfig, repo: GitRepo) -> None:
    findings = found(config, repo, "demo")
    assert of(findings, "mission").text.endswith(": WP01 planned")
    assert [finding.state for finding in findings] == [State.OK] * 4


def test_what_a_run_would_be_refused_for_at_the_root_is_bad(config: HostConfig, repo: GitRepo) -> None:
    (repo.path / ".kittify" / "x").write_text("mine", encoding="utf-8")
    finding = of(findings := found(config, repo, "demo"), "root checkout")
    assert finding.state is State.BAD
    assert ".kittify/x" in finding.text
    assert f"git -C {repo.path} stash push" in finding.text
    assert exit_status(findings) is ExitStatus.USAGE


def test_a_lock_of_git_at_the_root_is_something_to_know(config: HostConfig, repo: GitRepo) -> None:
    lock = repo.path / ".git" / "index.lock"
    lock.touch()
    finding = of(findings := found(config, repo, "demo"), "root checkout")
    assert finding.state is State.NOTE
    assert f"rm {lock}" in finding.text
    assert exit_status(findings) is ExitStatus.OK


def test_an_unknown_mission_is_a_mistake_of_the_user(config: HostConfig, repo: GitRepo) -> None:
    findings = found(config, repo, "demi")
    assert "did you mean 'demo'" in of(findings, "mission").text
    assert exit_status(findings) is ExitStatus.USAGE


def test_a_host_that_is_not_there_and_one_of_another_contract(config: HostConfig, repo: GitRepo) -> None:
    for wrong in (HostConfig(command=("no-such-host",)), replace(config, contract=">=7")):
        findings = found(wrong, repo)
        assert findings[-1].state is State.BAD
        assert exit_status(findings) is ExitStatus.HOST


def test_a_host_is_not_asked_while_a_run_makes_calls(config: HostConfig, repo: GitRepo) -> None:
    with repository_lock(repo.path / HOME / "lock", "demo"):
        findings = found(config, repo, "demo")
    assert [(one.subject, one.state) for one in findings] == [("host", State.OK), ("host", State.NOTE)]
    assert "a run makes calls just now" in findings[-1].text


def test_a_host_is_not_asked_where_git_is_led_elsewhere(config: HostConfig, repo: GitRepo) -> None:
    repo.git("config", "core.worktree", "/elsewhere")
    findings = found(config, repo, "demo")
    told = of(findings, "git")
    assert told.state is State.BAD
    assert f"git -C {repo.path} config --unset-all core.worktree" in told.text
    assert exit_status(findings) is ExitStatus.USAGE
    assert [one.subject for one in findings] == ["host", "git"]
