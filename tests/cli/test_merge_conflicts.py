"""Where the target and the reviewed work conflict, it is said before anything is merged, with the way out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.project import IMPLEMENT, Project, make
from tests.cli.test_after_review import events, git, on_target, run
from tests.cli.test_merge_check import strategy

pytestmark = pytest.mark.whole

HOTFIX = """
if os.environ["KITTY_WP"] == "WP01":
    import subprocess
    pathlib.Path("shared.py").write_text("A = 1\\nB = 2\\nC = 1\\n")
    root = {root!r}
    pathlib.Path(root, "shared.py").write_text("A = 1\\nB = 1  # HOTFIX\\nC = 1\\n")
    subprocess.run(["git", "-C", root, "commit", "-q", "-m", "hotfix", "--", "shared.py"], check=True)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The target gets a hotfix in a line that WP01 changes too."""
    root = tmp_path / "repo"
    made = make(root, implementer=IMPLEMENT + HOTFIX.format(root=str(root)), dependencies={"WP01": ()})
    (root / "shared.py").write_text("A = 1\nB = 1\nC = 1\n", encoding="utf-8")
    git(made, "add", "shared.py")
    git(made, "commit", "-q", "-m", "shared")
    return made


def resolve(text: str, file: str) -> None:
    """Do what the message says, with both sides kept."""
    merge, add = (line.strip() for line in text.split("\\n") if line.strip().startswith("git -C "))
    assert subprocess.run(["sh", "-c", merge], check=False, capture_output=True).returncode == 1
    found = re.search(r"git -C (\S+) ", merge)
    assert found is not None
    Path(found[1], file).write_text("A = 1\nB = 2  # HOTFIX\nC = 1\n", encoding="utf-8")
    subprocess.run(["sh", "-c", add], check=True, capture_output=True)


@pytest.mark.parametrize("name", ["merge", "squash"])
def test_it_is_said_before_the_merge_and_the_printed_commands_resolve_it(project: Project, name: str) -> None:
    strategy(project, name)
    status, text = run(project)
    assert status == 1, text
    assert "conflicts with main, in shared.py" in text, text
    assert "Nothing is lost" in text
    assert events(project, "merge.started") == []
    assert "HOTFIX" in git(project, "show", "main:shared.py")
    assert "WP01.txt" not in on_target(project)
    resolve(text, "shared.py")
    status, text = run(project)
    assert status == 0, text
    assert git(project, "show", "main:shared.py") == "A = 1\nB = 2  # HOTFIX\nC = 1"
    assert "WP01.txt" in on_target(project)
