"""The engine needs nothing of an executor but its protocol: a mission ends the same on another machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from kitty_run.engine.bootstrap import Request, launch
from kitty_run.engine.session import Report
from kitty_run.engine.state.events import CheckEnded, Entry, Event, WorkKept
from kitty_run.errors import ExitStatus
from kitty_run.execution import executors
from kitty_run.execution.protocol import Executor, Site
from kitty_run.profile.load import load
from kitty_run.profile.model import ExecutorConfig

from tests.cli.project import Project, make
from tests.execution.bundle_executor import BundleExecutor

DIAMOND = {"WP01": (), "WP02": ("WP01",), "WP03": ("WP01",), "WP04": ("WP02", "WP03")}

IMPLEMENT = """\
import os, pathlib, subprocess, sys
sys.stdin.read()
wp, cycle = os.environ["KITTY_WP"], os.environ["KITTY_CYCLE"]
print("at", os.getcwd(), "home", os.environ["HOME"], "token", os.environ["TEAM_TOKEN"])
pathlib.Path(wp, "deep").mkdir(parents=True, exist_ok=True)
pathlib.Path(wp, "deep", "work.txt").write_text(f"{wp} in cycle {cycle}\\n")
pathlib.Path(wp, "run.sh").write_text("#!/bin/sh\\n")
pathlib.Path(wp, "run.sh").chmod(0o755)
if wp == "WP03":  # commits a part itself, and leaves the rest
    subprocess.run(["git", "add", "--all"], check=True)
    subprocess.run(["git", "commit", "-q", "-m", "half"], check=True)
    pathlib.Path(wp, "run.sh").unlink()
    pathlib.Path(wp, "later.txt").write_text("later")
if wp == "WP04":
    pathlib.Path("WP01", "run.sh").unlink()
"""

REVIEW = """\
import json, os, pathlib, sys
sys.stdin.read()
wp, cycle = os.environ["KITTY_WP"], os.environ["KITTY_CYCLE"]
print("at", os.getcwd(), "home", os.environ["HOME"])
verdict = {"code": os.environ["KITTY_VERDICT_CODE"], "verdict": "approved", "summary": "as asked"}
if wp == "WP02" and cycle == "1":
    verdict |= {"verdict": "changes_requested", "findings": ["Say which cycle it is."]}
pathlib.Path(os.environ["KITTY_VERDICT_FILE"]).write_text(json.dumps(verdict))
"""


@dataclass(frozen=True)
class Ran:
    """A mission that was run to its end."""

    project: Project
    report: Report
    entries: tuple[Entry, ...]

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.project.root, capture_output=True, text=True, check=True
        )
        return done.stdout

    def tree(self) -> list[str]:
        """What the target holds at the end, but for the two files in which the host writes times and ids."""
        lines = self.git("ls-tree", "-r", "main").splitlines()
        return [line for line in lines if not line.endswith(("/meta.json", "/status.events.jsonl"))]

    def steps(self) -> Mapping[str | None, list[type[Event]]]:
        """The types of the journal's events, of each work package in their order.

        `WorkKept` is none of them: what checks leave is in the workspace where they run beside it alone.
        """
        of: dict[str | None, list[type[Event]]] = {}
        for entry in self.entries:
            if not isinstance(entry.event, WorkKept):
                of.setdefault(entry.wp, []).append(type(entry.event))
        of[None].sort(key=lambda kind: kind.TYPE)
        return of

    def logs(self) -> str:
        folder = self.report.journal.parent / "logs"
        return "".join(path.read_text() for path in sorted(folder.glob("*/implement-?.log")))


def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    project = make(folder / "repo", implementer=IMPLEMENT, reviewer=REVIEW, dependencies=DIAMOND)
    document = yaml.safe_load(project.profile.read_text(encoding="utf-8"))
    for agent in document["agents"].values():
        agent["env"] = {"pass": ["HOME", "TEAM_TOKEN"]}
    document["roles"]["implement"]["checks"] = [{"name": "file", "command": ["sh", "-c", CHECK]}]
    document["executor"] = "local"
    project.profile.write_text(yaml.safe_dump(document), encoding="utf-8")
    monkeypatch.setenv("TEAM_TOKEN", "of-the-engine")
    entries: list[Entry] = []
    report = launch(Request(load(project.profile), "demo", project.root), entries.append)
    return Ran(project, report, tuple(entries))


CHECK = 'test -f "$KITTY_WP/deep/work.txt" && touch left-by-a-check && echo checked at "$PWD"'


@pytest.mark.whole
def test_a_mission_ends_the_same_with_an_executor_that_gets_nothing_but_descriptions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = run(tmp_path / "here", monkeypatch)
    opened: list[BundleExecutor] = []

    async def elsewhere(_: ExecutorConfig, site: Site) -> Executor:
        opened.append(BundleExecutor(site, tmp_path / "elsewhere", {"TEAM_TOKEN": "of-the-worker"}))
        return opened[-1]

    monkeypatch.setitem(executors.KINDS, "local", elsewhere)  # type: ignore[arg-type]
    there = run(tmp_path / "there", monkeypatch)

    assert [ran.report.exit_status for ran in (here, there)] == [ExitStatus.OK] * 2, there.report
    assert here.tree() == there.tree()
    assert "WP03/later.txt" in there.git("ls-tree", "-r", "--name-only", "main")
    assert {wp: one.lane for wp, one in here.report.work_packages.items()} == {
        wp: one.lane for wp, one in there.report.work_packages.items()
    }
    assert [one.cycles for one in there.report.work_packages.values()] == [1, 2, 1, 1]
    assert here.steps() == there.steps()
    assert sum(isinstance(entry.event, CheckEnded) for entry in there.entries) == 5

    [executor] = opened
    assert executor.closed
    assert len(executor.brought) == 5 + 5  # attempts of both roles
    assert str(tmp_path / "elsewhere") in there.logs()
    assert str(there.project.root) not in there.logs()
    assert "of-the-worker" in there.logs()
    assert "of-the-engine" in here.logs()
    sent = b"".join(executor.sent)
    assert b"TEAM_TOKEN" in sent
    assert b"of-the-engine" not in sent
    assert os.environ["HOME"].encode() not in sent
