"""A mission on the simulated host whose worktrees need to be set up."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from kitty_run.engine.state.events import Event
from kitty_run.engine.state.journal import read

from tests.cli.project import IMPLEMENT, REVIEW, Project, kitty_run, make, only
from tests.program import Done

E = TypeVar("E", bound=Event)

ONE: Mapping[str, Sequence[str]] = {"WP01": ()}


def project(
    folder: Path,
    workspace: Mapping[str, object],
    *,
    implementer: str = IMPLEMENT,
    reviewer: str = REVIEW,
    checks: Sequence[Mapping[str, object]] = (),
    files: Mapping[str, str] | None = None,
    dependencies: Mapping[str, Sequence[str]] = ONE,
    passed: Sequence[str] = (),
) -> Project:
    """A project whose profile has the key `workspace`; `files` are committed at the root.

    `passed` are variables that agents get.
    """
    made = make(folder / "repo", implementer=implementer, reviewer=reviewer, dependencies=dependencies)
    for name, text in (files or {}).items():
        (made.root / name).parent.mkdir(parents=True, exist_ok=True)
        (made.root / name).write_text(text)
    if files:
        git(made, "add", "--all")
        git(made, "commit", "-q", "-m", "files")
    document = yaml.safe_load(made.profile.read_text(encoding="utf-8"))
    document["workspace"] = dict(workspace)
    document["roles"]["implement"]["checks"] = list(checks)
    for agent in document["agents"].values():
        agent["env"] = {"pass": list(passed)}
    made.profile.write_text(yaml.safe_dump(document), encoding="utf-8")
    return made


def step(name: str, script: str, **more: object) -> dict[str, object]:
    """A step that runs the shell script."""
    return {"name": name, "command": ["sh", "-c", script], **more}


def run(made: Project, *words: str) -> Done:
    return kitty_run(str(made.profile), "--mission", "demo", *words, cwd=made.root)


def git(made: Project, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=made.root, capture_output=True, text=True, check=True)
    return done.stdout


def merged(made: Project) -> set[str]:
    """The files of the target, but for the mission's own."""
    listed = git(made, "ls-tree", "-r", "--name-only", "main").splitlines()
    return {path for path in listed if not path.startswith(("kitty-specs/", ".kittify/"))}


def events(made: Project, kind: type[E]) -> list[E]:
    return [entry.event for entry in read(only(made).journal) if isinstance(entry.event, kind)]
