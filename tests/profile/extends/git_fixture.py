"""Real git repositories to extend from, and a cache of the test's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from kitty_run.cli.main import main
from kitty_run.profile.load import load
from kitty_run.profile.validation.problems import ProfileInvalid

BASE = """version: 1
extends: [../shared/agents.yaml]
policy: {approval_mode: full_auto, sandbox_mode: workspace_write, network_mode: none}
concurrency: {work_packages: 2}
"""
AGENTS = """agents:
  a:
    command: [./a.sh]
    enforce:
      sandbox_mode: {workspace_write: []}
      network_mode: {none: []}
      approval_mode: {full_auto: []}
roles: {implement: {agents: [a]}, review: {agents: [a]}}
"""


class Remote:
    """A repository with a profile `profiles/base.yaml`, tagged v1."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")
        self.write("profiles/base.yaml", BASE)
        self.write("shared/agents.yaml", AGENTS)
        self.write("unrelated.txt", "not read")
        self.commit()
        self.git("tag", "v1")

    def source(self, rev: str = "v1", path: str = "profiles/base.yaml") -> str:
        return f"git+file://{self.path}@{rev}#{path}"

    def write(self, name: str, text: str) -> None:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        identity = {
            f"GIT_{who}_{what}": "test@localhost"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**environment, **identity},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()


def profile(*sources: str, more: str = "") -> Path:
    path = Path("profile.yaml")
    entries = ", ".join(f'"{source}"' for source in sources)
    path.write_text(f"version: 1\nextends: [{entries}]\n{more}", encoding="utf-8")
    return path


def problems(path: Path) -> str:
    with pytest.raises(ProfileInvalid) as caught:
        load(path)
    return str(caught.value)


def lock_error(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["lock", str(path)]) == 2
    assert not Path("kitty-run.lock").exists()
    return capsys.readouterr().err
