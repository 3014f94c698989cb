"""Missions whose worktrees need to be set up, on the simulated host."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.state.events import (
    AttemptStarted,
    CallStarted,
    SetupEnded,
    SetupStarted,
    WorkReady,
    WorkspacePrepared,
    WpEnded,
)
from kitty_run.errors import ExitStatus

from tests.execution.setup.project import events, git, merged, project, run, step

pytestmark = pytest.mark.whole

LEAVES = (
    "mkdir -p venv/deep && echo x > venv/deep/lib && echo made > made.txt && echo kept > kept.txt"
    " && echo changed >> lock.json && rm gone.txt && mkdir -p src/out && echo o > src/out/o.txt"
)
FILES = {"lock.json": "{}\n", "gone.txt": "there\n", "src/main.txt": "main\n"}

ON_TOP = """\
import os, pathlib, subprocess, sys
sys.stdin.read()
if os.environ["KITTY_WP"] == "WP02":
    sys.exit()  # there is what the setup left, and nothing of its own
pathlib.Path("made.txt").write_text("by the agent")
pathlib.Path("lock.json").write_text("by the agent")
pathlib.Path("venv/deep/lib").write_text("by the agent")
pathlib.Path("work.txt").write_text("work")
subprocess.run(["git", "add", "--all"], check=True)
subprocess.run(["git", "commit", "-q", "-m", "a part"], check=True)
pathlib.Path("rest.txt").write_text("rest")
"""


def test_what_setup_leaves_is_nobodys_work_and_what_an_agent_makes_of_it_is(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        {"setup": [step("install", LEAVES)]},
        implementer=ON_TOP,
        checks=[step("there", "test -f venv/deep/lib && test -f made.txt && test -f src/out/o.txt")],
        files=FILES,
        dependencies={"WP01": (), "WP02": ()},
    )
    done = run(made)
    ends = {event.wp: event for event in events(made, WpEnded)}
    assert ends["WP01"].result == "done", done.err
    assert "no_changes" in ends["WP02"].reason
    [ready] = events(made, WorkReady)
    changed = git(made, "diff", "--name-only", f"main...{ready.commit}").split()
    assert set(changed) == {"made.txt", "lock.json", "work.txt", "rest.txt"}
    prepared = next(event for event in events(made, WorkspacePrepared) if event.role == "implement")
    assert prepared.put_back == ("gone.txt", "lock.json")
    assert set(prepared.left) == {"venv/", "made.txt", "kept.txt", "src/out/"}
    assert "changed by the setup, and put back: gone.txt, lock.json" in done.err


def test_a_setup_that_fails_pauses_at_no_cost_and_continues_once_the_cause_is_fixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPM_TOKEN", "hunter2-of-the-team")
    there, counted = tmp_path / "there", tmp_path / "counted"
    install = f"test -e {there} || {{ echo no such registry for $NPM_TOKEN >&2; exit 7; }}"
    setup = [step("count", f"echo x >> {counted}"), step("install", install)]
    made = project(tmp_path, {"setup": setup, "env": {"pass": ["NPM_TOKEN"]}})
    assert run(made).status == ExitStatus.PAUSED
    [journal] = made.root.glob(".kitty-run/runs/*/events.jsonl")
    assert "hunter2" not in journal.read_text()
    assert not events(made, AttemptStarted)
    assert "block" not in {event.operation for event in events(made, CallStarted)}
    [end] = events(made, WpEnded)
    assert (end.result, end.code) == ("paused", "paused")
    for words in ("`install`", "exit status 7", "no such registry", "setup-install-1.log", "same command"):
        assert words in end.reason
    there.touch()
    done = run(made)
    assert done.status == ExitStatus.OK, done.err
    # What had succeeded does not run again in the worktree, only in the reviewer's checkout.
    assert counted.read_text() == "x\n" * 2
    assert [event.passed for event in events(made, SetupEnded)] == [True, False, True, True, True]
    assert merged(made) == {"WP01.txt"}


def test_a_setup_that_removes_its_worktree_blocks_nothing(tmp_path: Path) -> None:
    made = project(tmp_path, {"setup": [step("clean", "rm .git")]})
    assert run(made).status == ExitStatus.PAUSED
    [end] = events(made, WpEnded)
    assert end.code == "paused"
    assert ".git file is gone" in end.reason
    assert not events(made, AttemptStarted)


BREAKS = """\
import os, pathlib, sys
text = sys.stdin.read()
second = os.environ["KITTY_ATTEMPT"] == "2"
pathlib.Path("deps.txt").write_text("fine" if second else "broken")
pathlib.Path("said.txt").write_text(str("bad deps" in text))
"""


def test_what_the_agent_broke_of_it_is_the_agents_to_put_right(tmp_path: Path) -> None:
    install = "! grep -q broken deps.txt || { echo bad deps; exit 1; }"
    made = project(
        tmp_path,
        {"setup": [step("install", install, inputs=["deps.txt"])], "roles": ["implement"]},
        implementer=BREAKS,
        checks=[step("ok", "true")],
        files={"deps.txt": "fine at first"},
    )
    done = run(made)
    assert done.status == ExitStatus.OK, done.err
    assert [event.attempt for event in events(made, AttemptStarted) if event.role == "implement"] == [1, 2]
    assert git(made, "show", "main:said.txt") == "True"
    # At first; for what was broken, before the checks and before the agent that is to fix it; for the fix.
    assert [event.passed for event in events(made, SetupEnded)] == [True, False, False, True]


SHOWS = """\
import os, pathlib, subprocess, sys
sys.stdin.read()
assert pathlib.Path(".env").read_text() == "TOP=secret-of-the-user"
if os.environ["KITTY_ATTEMPT"] == "1":
    pathlib.Path("work.txt").write_text("work")
    subprocess.run(["git", "add", "--force", ".env", "work.txt"], check=True)
    subprocess.run(["git", "commit", "-q", "-m", "all of it"], check=True)
    pathlib.Path(".gitignore").write_text("!.env\\n")
else:
    pathlib.Path(".gitignore").write_text("")
"""


def test_what_is_copied_is_never_committed_whatever_an_agent_does(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        {"copy": [".env"]},
        implementer=SHOWS,
        files={".gitignore": ".env\n"},
        checks=[step("ok", "true")],
    )
    (made.root / ".env").write_text("TOP=secret-of-the-user")
    done = run(made)
    assert done.status == ExitStatus.OK, done.err
    assert merged(made) == {".gitignore", "work.txt"}
    reached = git(made, "log", "--branches", "--format=", "--name-only")
    assert ".env" not in reached.split()
    assert "secret-of-the-user" not in git(made, "log", "--branches", "-p")
    assert "made git show .env" in done.err
    [journal] = made.root.glob(".kitty-run/runs/*/events.jsonl")
    assert "secret-of-the-user" not in journal.read_text()


def test_what_is_to_be_copied_and_is_missing_is_said_before_anything_starts(tmp_path: Path) -> None:
    made = project(tmp_path, {"copy": [".env"]})
    done = run(made)
    assert done.status == ExitStatus.USAGE
    assert f"{made.root / '.env'} is not there" in done.err
    assert not list(made.root.glob(".kitty-run/runs/*"))


def test_a_workspace_is_taken_down_when_it_is_done(tmp_path: Path) -> None:
    log = tmp_path / "log"
    made = project(
        tmp_path,
        {
            "setup": [step("up", f"echo up $KITTY_ROLE >> {log}")],
            "teardown": [step("down", f"echo down $KITTY_ROLE $SAID >> {log}"), step("fails", "exit 1")],
            "env": {"set": {"SAID": "so"}},
        },
    )
    done = run(made)
    assert done.status == ExitStatus.OK, done.err
    assert log.read_text().splitlines() == [
        "up implement",
        "up review",
        "down review so",
        "down implement so",
    ]
    assert [event.name for event in events(made, SetupStarted)] == [
        "up",
        "up",
        "down",
        "fails",
        "down",
        "fails",
    ]
