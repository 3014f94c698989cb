"""What agents say reaches terminal, journal, report and host history without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cli.project import Done, Project, make

KEY = "sk-ant-" + "aB3" * 14
OWN = "violet-Piano-77"
HOSTILE = f"\x1b]52;c;ZXZpbA==\x07see \u202e{KEY} and {OWN} \x9b2J"

REVIEWER = f"""\
import json, os, pathlib, sys
sys.stdin.read()
said = {HOSTILE!r}
first = not pathlib.Path("/proc/self/cwd").joinpath("WP01.txt").read_text().strip() == "2"
first = first and os.environ["KITTY_WP"] == "WP01"
print(said)
verdict = {{
    "code": os.environ["KITTY_VERDICT_CODE"],
    "verdict": "changes_requested" if first else "approved",
    "summary": said,
    "findings": [{{"message": said, "file": "WP01.txt", "line": 1}}],
}}
pathlib.Path(os.environ["KITTY_VERDICT_FILE"]).write_text(json.dumps(verdict))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A repository whose own path looks like a key, and a reviewer that tells secrets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OWN_WORDS", OWN)
        yield hostile(tmp_path_factory.mktemp("told"))


def hostile(folder: Path) -> Project:
    project = make(folder / ("sk-" + "x" * 24) / "repo", gates=("merge",), reviewer=REVIEWER)
    document = yaml.safe_load(project.profile.read_text(encoding="utf-8"))
    for agent in document["agents"].values():
        agent.setdefault("env", {}).setdefault("pass", []).append("OWN_WORDS")
    project.profile.write_text(yaml.safe_dump(document), encoding="utf-8")
    return project


@pytest.fixture(scope="module")
def done(project: Project) -> Done:
    """A run up to its gate."""
    return project.kitty_run(str(project.profile), "--mission", "demo", "--json")


def clean(text: str) -> bool:
    return not any(bad in text for bad in (KEY, OWN, "\x1b", "\x9b", "\u202e", "\\u001b", "\\u202e"))


def history(project: Project) -> str:
    """All that the host committed or wrote down."""
    files = [path for path in project.root.rglob("*") if path.is_file() and "kitty-specs" in path.parts]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.whole
def test_nothing_that_an_agent_says_gets_through(project: Project, done: Done, tmp_path: Path) -> None:
    assert "changes_requested" in done.err or "requests changes" in done.err, done.err
    journal = next(project.root.glob(".kitty-run/runs/*/events.jsonl")).read_text(encoding="utf-8")
    assert "see ***" in journal
    page = tmp_path / "page.html"
    assert project.kitty_run("report", "-o", str(page)).status == 0
    again = next(project.root.glob(".kitty-run/runs/*/prompts/WP01/implement-2.md"))
    shown = {
        "terminal": done.err,
        "json": done.out,
        "journal": journal,
        "status": project.kitty_run("status").out,
        "status --json": project.kitty_run("status", "--json").out,
        "report": page.read_text(encoding="utf-8"),
        "history": history(project),
        "rework prompt": again.read_text(encoding="utf-8"),
    }
    assert {name for name, text in shown.items() if not clean(text)} == set()
    assert "see ***" in shown["report"]
    assert "see ***" in shown["history"]


@pytest.mark.whole
def test_the_way_to_the_repository_is_never_masked(project: Project, done: Done) -> None:
    assert json.loads(done.out)["journal"].startswith(str(project.root))
    elsewhere = project.root.parent
    for words in (["status"], ["status", "--json"]):
        out = project.kitty_run(*words, "--repo", str(project.root)).out
        assert "***" not in out.replace("see ***", "").replace("and ***", ""), out
    failed = project.kitty_run(str(project.profile), "--mission", "demo", "--repo", str(elsewhere))
    assert str(elsewhere) in failed.err
