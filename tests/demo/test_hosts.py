"""Installing hosts: whole or not at all, once, and with private surroundings."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest
from kitty_run.demo import hosts
from kitty_run.demo.hosts import ensure_host, host_environment
from kitty_run.errors import HostError

from tests.hosts import FEATURE_HOST, HOSTS


@pytest.mark.real_host
def test_an_installed_host_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    script = ensure_host(FEATURE_HOST, HOSTS)
    monkeypatch.setattr(hosts, "_build", lambda *_: pytest.fail("it was installed again"))
    assert ensure_host(FEATURE_HOST, HOSTS) == script
    assert script.is_file()


def test_a_torn_installation_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1" / "bin").mkdir(parents=True)
    (tmp_path / "1" / "bin" / "half").touch()
    monkeypatch.setattr(hosts, "_build", fake_build)
    script = ensure_host("1", tmp_path)
    assert script.is_file()
    assert not (script.parent / "half").exists()


def test_two_callers_at_once_install_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builds: list[Path] = []

    def build(home: Path, version: str) -> None:
        builds.append(home)
        fake_build(home, version)

    monkeypatch.setattr(hosts, "_build", build)
    callers = [threading.Thread(target=ensure_host, args=("1", tmp_path)) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert builds == [tmp_path / "1"]


@pytest.mark.slow
def test_a_version_that_there_is_not_gives_pips_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(HostError, match=r"(?s)0\.0\.0 can't be installed; .*No matching distribution"):
        ensure_host("0.0.0", tmp_path)
    assert not (tmp_path / "0.0.0" / hosts.MARKER).exists()


@pytest.mark.parametrize(
    ("failing", "words"), [(("-m", "venv"), "no ensurepip"), (("-m", "pip"), "No match")]
)
def test_what_an_installation_fails_at_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: tuple[str, str], words: str
) -> None:
    def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        fails = tuple(argv[1:3]) == failing
        return subprocess.CompletedProcess(argv, int(fails), "collecting\n", words if fails else "")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(HostError, match=rf"(?s)0\.0\.0 can't be installed; .*{failing[1]}.*said:.*{words}"):
        ensure_host("0.0.0", tmp_path)
    assert not (tmp_path / "0.0.0" / hosts.MARKER).exists()


def test_a_host_runs_with_a_home_of_its_own_and_its_directory_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("SPECIFY_REPO_ROOT", "/elsewhere")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere")
    env = host_environment(tmp_path / "bin" / "spec-kitty", tmp_path / "home")
    assert env["HOME"] == str(tmp_path / "home")
    assert env["PATH"].split(":")[0] == str(tmp_path / "bin")
    assert env["SPEC_KITTY_ENABLE_SAAS_SYNC"] == "0"
    assert "/elsewhere" not in env.values()
    assert "name = " in (tmp_path / "home" / ".gitconfig").read_text()


def fake_build(home: Path, version: str) -> None:
    """An installation in the shape of a real one, made at once."""
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").touch()
    (home / "bin" / "spec-kitty").write_text(version, encoding="utf-8")
