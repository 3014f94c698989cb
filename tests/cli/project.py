"""A small repository on the simulated host, with a profile of scripted agents."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from kitty_run.engine.state.events import Entry, Event
from kitty_run.engine.state.events.codec import to_line
from kitty_run.engine.state.journal import read
from kitty_run.engine.state.run_directory import RunPlace, runs

from tests import simulated_host
from tests.program import Done, kitty_run

__all__ = ["LOST", "Done", "Project", "forged", "kitty_run", "make", "only"]

IMPLEMENT = """\
import os, pathlib, sys
sys.stdin.read()
name = os.environ["KITTY_WP"] + ".txt"
pathlib.Path(name).write_text(os.environ["KITTY_CYCLE"])
print("wrote", name)
"""

REVIEW = """\
import json, os, pathlib, sys
sys.stdin.read()
verdict = {"code": os.environ["KITTY_VERDICT_CODE"], "verdict": "approved", "summary": "as asked"}
pathlib.Path(os.environ["KITTY_VERDICT_FILE"]).write_text(json.dumps(verdict))
"""

TWO = {"WP01": (), "WP02": ("WP01",)}
"""Two work packages, the second after the first."""


@dataclass(frozen=True)
class Project:
    """The repository at `root` with its mission `demo`, and the profile that runs it."""

    root: Path
    profile: Path

    def kitty_run(self, *words: str) -> Done:
        """`kitty-run WORDS` in the repository."""
        return kitty_run(*words, cwd=self.root)


def make(
    root: Path,
    *,
    gates: tuple[str, ...] = (),
    implementer: str = IMPLEMENT,
    reviewer: str = REVIEW,
    dependencies: Mapping[str, Sequence[str]] = TWO,
) -> Project:
    """A project with the work packages of `dependencies`."""
    root.mkdir(parents=True)
    (root / ".kittify").mkdir()
    tasks = root / "kitty-specs" / "demo" / "tasks"
    tasks.mkdir(parents=True)
    for wp, needed in dependencies.items():
        head = yaml.safe_dump({"work_package_id": wp, "title": f"Part {wp}", "dependencies": list(needed)})
        (tasks / f"{wp}.md").write_text(f"---\n{head}---\nWrite {wp}.\n", encoding="utf-8")
    scripts = root.with_name("agents")
    scripts.mkdir()
    (scripts / "implement.py").write_text(implementer, encoding="utf-8")
    (scripts / "review.py").write_text(reviewer, encoding="utf-8")
    profile = root.with_name("profile.yaml")
    profile.write_text(yaml.safe_dump(_profile(scripts, gates), sort_keys=False), encoding="utf-8")
    for argv in (
        ("init", "-q", "-b", "main"),
        ("config", "user.email", "mia@example.com"),
        ("config", "user.name", "Mia"),
        ("add", "--all"),
        ("commit", "-q", "-m", "plan"),
        ("commit", "-q", "--allow-empty", "-m", "work of others"),
    ):
        subprocess.run(["git", *argv], cwd=root, check=True, capture_output=True)
    return Project(root, profile)


def only(project: Project) -> RunPlace:
    """The project's one run."""
    (place,) = runs(project.root)
    return place


def forged(place: RunPlace, event: Event) -> bytes:
    """A line as the runner would write it, made by somebody else."""
    entries = list(read(place.journal))
    line = to_line(Entry(entries[-1].at, event), len(entries) + 1)
    return json.dumps(line).encode() + b"\n"


def _cut(place: RunPlace) -> None:
    place.journal.write_bytes(b"".join(place.journal.read_bytes().splitlines(keepends=True)[:3]))


def _link(place: RunPlace) -> None:
    elsewhere = place.directory / "elsewhere"
    place.journal.replace(elsewhere)
    place.journal.symlink_to(elsewhere)


LOST: dict[str, Callable[[RunPlace], object]] = {
    "emptied": lambda place: place.journal.write_bytes(b""),
    "cut": _cut,
    "linked": _link,
    "removed": lambda place: place.journal.unlink(),
    "folder removed": lambda place: shutil.rmtree(place.directory),
}
"""What can happen to a run's journal, by name."""


def _profile(scripts: Path, gates: tuple[str, ...]) -> dict[str, object]:
    return {
        "version": 1,
        "name": "scripted",
        "host": {"command": [str(simulated_host.install(scripts))]},
        "policy": {"approval_mode": "full_auto", "sandbox_mode": "none", "network_mode": "open"},
        "agents": {
            "maker": _agent(scripts / "implement.py"),
            "checker": {**_agent(scripts / "review.py"), "family": "checking"},
        },
        "roles": {"implement": {"agents": ["maker"]}, "review": {"agents": ["checker"]}},
        "gates": {"before": list(gates)},
        "finish": {"accept": True, "merge": {"target": "main"}},
    }


def _agent(script: Path) -> dict[str, object]:
    return {
        "family": "making",
        "command": [sys.executable, str(script)],
        "enforce": {
            "approval_mode": {"full_auto": []},
            "sandbox_mode": {"none": []},
            "network_mode": {"open": []},
        },
    }
