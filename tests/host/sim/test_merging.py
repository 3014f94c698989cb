"""A merge of the simulated host overwrites nothing that its user has not committed, as the real one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.project import make

pytestmark = pytest.mark.whole

OWN = "written by hand\n"


@pytest.mark.parametrize(
    ("where", "name"),
    [("WP01.txt", "WP01.txt"), ("below/WP01.txt", "below/WP01.txt"), ("WP01.txt/notes.md", "WP01.txt")],
)
def test_a_file_of_the_users_that_the_merge_would_overwrite_is_left_alone(
    tmp_path: Path, where: str, name: str
) -> None:
    agent = f"""
import pathlib, sys
sys.stdin.read()
path = pathlib.Path({name!r})
path.parent.mkdir(exist_ok=True)
path.write_text("by the agent")
"""
    project = make(tmp_path / "repo", implementer=agent, dependencies={"WP01": ()})
    own = project.root / where
    own.parent.mkdir(exist_ok=True)
    own.write_text(OWN, encoding="utf-8")
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json")
    assert own.read_text(encoding="utf-8") == OWN
    assert done.status != 0, done.err
    assert f"Refusing to advance branch 'main': uncommitted changes in {name}" in done.err
    report = json.loads(done.out)
    assert report["merged"] is None
    merged = subprocess.run(
        ["git", "ls-tree", "--name-only", "main", name], cwd=project.root, capture_output=True, check=True
    )
    assert merged.stdout == b""
