"""The host: whether it is there, what it is, and why it is not asked."""

from __future__ import annotations

import json
import os
import sys
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


def test_what_would_stop_the_mission_at_its_end_is_bad_and_what_may_is_something_to_know(
    config: HostConfig, repo: GitRepo
) -> None:
    """The same look as a run's: `tests/engine/test_start_check.py` has all that it finds."""
    attributes = "kitty-specs/** merge=spec-kitty-meta\n"
    tasks = "## WP01\n\nDepends on WP02\n"
    task = TASK.replace("WP01", "WP02")
    repo.commit("plan", **{".gitattributes": attributes, "kitty-specs/demo/tasks.md": tasks})
    repo.commit("second", **{"kitty-specs/demo/tasks/WP02.md": task})
    findings = found(config, repo, "demo")
    assert [of(findings, subject).state for subject in ("merge drivers", "plan")] == [State.NOTE] * 2
    assert exit_status(findings) is ExitStatus.OK
    meta = json.dumps({"topology": "lanes", "target_branch": "main"})
    repo.commit("target", **{"kitty-specs/demo/meta.json": meta})
    findings = found(config, repo, "demo")
    assert of(findings, "target").state is State.BAD
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


def test_a_wrapper_is_a_host_whose_calls_are_started_cold_which_is_said(
    config: HostConfig, repo: GitRepo, tmp_path: Path
) -> None:
    wrapper = script(tmp_path / "wrapper", f'exec {config.command[0]} "$@"')
    findings = found(HostConfig(command=(str(wrapper),)), repo, "demo")
    assert exit_status(findings) is ExitStatus.OK
    (said,) = [one for one in findings if one.state is State.NOTE]
    assert (said.subject, "is no Python console script" in said.text) == ("host", True)


def test_two_installations_on_path_are_both_named_and_which_is_used(
    config: HostConfig, repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "one" / "spec-kitty", tmp_path / "two" / "spec-kitty"
    for place in (first, second):
        place.parent.mkdir()
        script(
            place,
            f'case "$1" in --version) echo spec-kitty {place.parent.name};; *) '
            f'exec {config.command[0]} "$@";; esac',
        )
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "spec-kitty").symlink_to(first)
    path = [str(tmp_path / name) for name in ("three", "one", "two")]
    monkeypatch.setenv("PATH", os.pathsep.join([*path, os.environ["PATH"]]))
    findings = found(HostConfig(), repo, "demo")
    used = str(tmp_path / "three" / "spec-kitty")
    texts = [
        one.text for one in findings if one.subject == "host" and " installations are on PATH" in one.text
    ]
    one, two = f"{used} (spec-kitty one)", f"{second} (spec-kitty two)"
    assert texts == [f"2 installations are on PATH; used is the first, {one}, not {two}"]
    assert of(findings, "contract").state is State.OK
    alone = found(HostConfig(command=(str(second),)), repo)
    assert not any("installations are on PATH" in one.text for one in alone)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("echo hello", "exit status 0: hello"),
        ("echo usage: other; exit 2", "usage: other"),
        ("exec /nowhere/spec-kitty", "what that starts must be there"),
    ],
)
def test_a_program_that_is_no_spec_kitty_is_said_to_be_none(
    repo: GitRepo, tmp_path: Path, code: str, words: str
) -> None:
    findings = found(HostConfig(command=(str(script(tmp_path / "other", code)),), start="cold"), repo)
    assert "does not answer as a spec-kitty does" in findings[-1].text
    assert words in findings[-1].text
    assert exit_status(findings) is ExitStatus.HOST


def test_a_host_that_cannot_be_imported_is_shown_with_the_command_that_fixes_it(
    repo: GitRepo, tmp_path: Path
) -> None:
    broken = tmp_path / "spec-kitty"
    broken.write_text(f"#!{sys.executable}\nimport gone_for_good\n", encoding="utf-8")
    broken.chmod(0o755)
    findings = found(HostConfig(command=(str(broken),)), repo)
    assert "gone_for_good, which it imports, is not installed" in findings[-1].text
    assert "pip install gone_for_good`" in findings[-1].text
    assert exit_status(findings) is ExitStatus.HOST


def script(path: Path, code: str) -> Path:
    path.write_text(f"#!/bin/sh\n{code}\n", encoding="utf-8")
    path.chmod(0o755)
    return path
