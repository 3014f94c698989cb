"""A project on the simulated host with a profile that can be spoilt, and `kitty-run` on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests import simulated_host
from tests.e2e.bench import ENFORCE
from tests.git_repos import IDENTITY, GitRepo
from tests.hosts import CHECKOUT
from tests.program import kitty_run

STRANGE = Path(__file__).resolve().parent / "strange_host.py"
WRITE = "import os, pathlib; pathlib.Path(os.environ['KITTY_WP'] + '.txt').write_text('work')"
APPROVE = """
import json, os, pathlib
verdict = {"code": os.environ["KITTY_VERDICT_CODE"], "verdict": "approved", "summary": "as asked"}
pathlib.Path(os.environ["KITTY_VERDICT_FILE"]).write_text(json.dumps(verdict))
"""


@dataclass
class Place:
    """A project on the simulated host, and a profile that can be spoilt."""

    repo: GitRepo
    profile: dict[str, Any] = field(default_factory=dict)

    def run(self, *options: str) -> tuple[int, str]:
        """Exit status and words of `kitty-run`, which must come to an end soon."""
        return run(*self.words(*options))

    def words(self, *options: str) -> tuple[object, ...]:
        """The command line, its profile written."""
        file = self.repo.path.parent / "profile.yaml"
        file.write_text(yaml.safe_dump(self.profile), encoding="utf-8")
        return (file, "--repo", self.repo.path, "--mission", "m", *options)

    def host(self, way: str, **more: object) -> None:
        command = [sys.executable, str(STRANGE), way]
        self.profile["host"] = {"command": command, "start": "cold", **more}


def run(*words: object, cwd: Path = CHECKOUT) -> tuple[int, str]:
    """`kitty-run WORDS` within this process."""
    done = kitty_run(*map(str, words), cwd=cwd, env={**os.environ, **IDENTITY})
    return done.status, done.out + done.err


def start(*words: object, before: Callable[[], None]) -> tuple[int, str]:
    """`kitty-run WORDS` in a process of its own, which calls `before` first."""
    done = subprocess.run(
        (sys.executable, "-m", "kitty_run", *map(str, words)),
        env={**os.environ, **IDENTITY},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=before,
    )
    return done.returncode, done.stdout + done.stderr


def prompt(wp: str, dependencies: Sequence[str]) -> str:
    head = {"work_package_id": wp, "title": wp, "dependencies": list(dependencies), "subtasks": []}
    return f"---\n{yaml.safe_dump(head)}---\n# {wp}\n"


def make_place(folder: Path, dependencies: Mapping[str, Sequence[str]]) -> Place:
    """A project below `folder`, its work packages by id with what each depends on."""
    path = folder / "project"
    path.mkdir()
    repo = GitRepo(path)
    repo.git("init", "-q", "-b", "work")
    meta = {"mission_slug": "m", "target_branch": "work"}
    wps = {f"kitty-specs/m/tasks/{wp}.md": prompt(wp, needs) for wp, needs in dependencies.items()}
    repo.commit(
        **{".kittify/x": "", ".gitignore": ".worktrees/\n", "kitty-specs/m/meta.json": json.dumps(meta)},
        **wps,
    )
    agents = {
        name: {"family": name, "command": [sys.executable, "-c", code], "enforce": ENFORCE}
        for name, code in (("imp", WRITE), ("rev", APPROVE))
    }
    place = Place(repo)
    place.profile = {
        "version": 1,
        "name": "bad",
        "policy": {"approval_mode": "full_auto", "sandbox_mode": "workspace_write"},
        "agents": agents,
        "roles": {"implement": {"agents": ["imp"]}, "review": {"agents": ["rev"]}},
    }
    place.profile["host"] = {"command": [str(simulated_host.install(folder))]}
    return place
