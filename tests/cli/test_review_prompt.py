"""What a reviewer is shown of a large change: as much as its profile, or an argument, holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from kitty_run.agents.launch.argv import ARGUMENT_LIMIT

from tests.cli.project import Project, make

IMPLEMENT = """\
import os, pathlib, sys
sys.stdin.read()
pathlib.Path("a_large.txt").write_text("a line of a large file\\n" * 20_000)
pathlib.Path("made.min.js").write_text("made\\n")
pathlib.Path("own.gen").write_text("generated\\n")
pathlib.Path(os.environ["KITTY_WP"] + ".txt").write_text("the small change\\n")
"""

REVIEW = """\
import json, os, pathlib, sys
prompt = sys.argv[1] if len(sys.argv) > 1 else sys.stdin.read()
pathlib.Path(__file__).with_name("prompt.txt").write_text(prompt)
verdict = {"code": os.environ["KITTY_VERDICT_CODE"], "verdict": "approved", "summary": "as asked"}
pathlib.Path(os.environ["KITTY_VERDICT_FILE"]).write_text(json.dumps(verdict))
"""


def reviewed(folder: Path, way: str, diff: dict[str, object]) -> str:
    """The prompt that the reviewer of a large change got."""
    project = make(folder / "repo", reviewer=REVIEW)
    (folder / "agents" / "implement.py").write_text(IMPLEMENT, encoding="utf-8")
    (project.root / "kitty-specs" / "demo" / "tasks" / "WP02.md").unlink()
    commit(project)
    document = yaml.safe_load(project.profile.read_text(encoding="utf-8"))
    document["agents"]["checker"]["prompt"] = way
    document["roles"]["review"]["diff"] = diff
    project.profile.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = project.kitty_run(str(project.profile), "--mission", "demo")
    assert done.status == 0, done.err
    return (folder / "agents" / "prompt.txt").read_text(encoding="utf-8")


def commit(project: Project) -> None:
    subprocess.run(["git", "commit", "-qam", "one"], cwd=project.root, check=True)


@pytest.mark.parametrize("way", ["stdin", "argument"])
def test_a_large_change_is_shown_as_far_as_it_fits_and_the_rest_is_said_to_be_in_the_workspace(
    tmp_path: Path, way: str
) -> None:
    diff = {"exclude": ["*.gen"]} if way == "argument" else {"limit": "2kB"}
    prompt = reviewed(tmp_path, way, diff)
    assert "+the small change" in prompt
    assert "a_large.txt" in prompt
    assert "bytes of diff, not shown)" in prompt
    assert "The diff is too long to be shown whole" in prompt
    assert "Read them in the\nworkspace before you decide: `git -C " in prompt
    assert prompt.rstrip().endswith("counts before your message.")
    if way == "argument":
        assert ARGUMENT_LIMIT - 8_000 < len(prompt.encode()) <= ARGUMENT_LIMIT
        assert "+made" in prompt
        assert "+generated" not in prompt
    else:
        assert len(prompt.encode()) < 10_000
        assert "+made" not in prompt
        assert "+generated" in prompt
