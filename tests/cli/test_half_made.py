"""A worktree that a power cut left half made, on the simulated host: nothing of it is merged as deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kitty_run.errors import ExitStatus

from tests.cli.project import Project, make
from tests.git_repos import GitRepo, half_made

pytestmark = pytest.mark.whole

FILES = {f"many/{number}.txt" for number in range(30)}
NAMES = {"mission": ("demo-lane-wp01", "kitty/mission-demo-lane-wp01"), "feature": ("demo-WP01", "demo-WP01")}


@pytest.fixture(params=["mission", "feature"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    made = make(tmp_path / "repo")
    root = GitRepo(made.root)
    for task in made.root.glob("kitty-specs/demo/tasks/*.md"):  # where the older generation keeps lanes
        task.write_text(task.read_text(encoding="utf-8").replace("---\n", '---\nlane: "planned"\n', 1))
    (made.root / ".gitignore").write_text(".worktrees/\n", encoding="utf-8")
    root.commit("many", **dict.fromkeys(FILES, "x"))
    (made.root / ".kittify" / "sim-dialect").write_text(request.param, encoding="utf-8")
    name, branch = NAMES[request.param]
    half_made(root, name, branch=branch)
    return made


def test_it_is_made_whole_before_an_agent_starts_there(project: Project) -> None:
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--yes")
    assert done.status == ExitStatus.OK, done.err
    assert "workspace repaired: 3" in done.err
    root = GitRepo(project.root)
    assert set(root.files("main")) >= FILES | {"WP01.txt", "WP02.txt"}
    journal = next(project.root.glob(".kitty-run/runs/*/events.jsonl")).read_text(encoding="utf-8")
    types = [json.loads(line)["type"] for line in journal.splitlines()]
    assert types.index("workspace.repaired") < types.index("attempt.started")
    assert "work.saved" not in types
