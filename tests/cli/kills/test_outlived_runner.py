"""An agent that ends well after its runner was killed is not paid twice; one that was cut off is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep

import psutil
import pytest
from kitty_run.engine.state.events import AttemptEnded, AttemptStarted, Notice
from kitty_run.engine.state.journal import read
from kitty_run.errors import ExitStatus

from tests.cli.project import Project, make, only

pytestmark = pytest.mark.whole

WAITS = """\
import os, pathlib, signal, sys, time
room = pathlib.Path(__file__).parent
with (room / "starts").open("a") as file:
    file.write(os.environ["KITTY_ATTEMPT"] + "\\n")
if not (room / "pid").exists():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    pathlib.Path("half.txt").write_text("half")
    (room / "pid").write_text(str(os.getpid()))
    while not (room / "go").exists():
        time.sleep(0.02)
pathlib.Path(os.environ["KITTY_WP"] + ".txt").write_text("done")
sys.exit(int((room / "go").read_text() or 0) if (room / "go").exists() else 0)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = make(tmp_path / "repo", dependencies={"WP01": ()}, implementer=WAITS)
    yield made
    pid = tmp_path / "agents" / "pid"
    if pid.exists() and psutil.pid_exists(int(pid.read_text())):
        os.kill(int(pid.read_text()), signal.SIGKILL)


def killed_amid_the_attempt(project: Project) -> psutil.Process:
    """Kill a runner alone while its agent works; the agent's supervisor."""
    room = project.root.with_name("agents")
    argv = [sys.executable, "-m", "kitty_run", str(project.profile), "--mission", "demo"]
    with subprocess.Popen(argv, cwd=project.root, stderr=subprocess.DEVNULL) as runner:
        while not (room / "pid").exists() or not (room / "pid").read_text():
            assert runner.poll() is None
            sleep(0.02)
        supervisor = psutil.Process(psutil.Process(int((room / "pid").read_text())).ppid())
        while not [one for one in read(only(project).journal) if one.event.TYPE == "attempt.process"]:
            sleep(0.02)
        runner.kill()
    return supervisor


def goes_on(project: Project, supervisor: psutil.Process, status: str) -> None:
    """Let the agent end with `status`, and wait until nothing of it is left."""
    (project.root.with_name("agents") / "go").write_text(status)
    psutil.wait_procs([supervisor], timeout=60)
    assert not supervisor.is_running() or supervisor.status() == psutil.STATUS_ZOMBIE


def run(project: Project) -> dict[str, object]:
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json")
    assert done.status == ExitStatus.OK, done.err
    return dict(json.loads(done.out))


def starts(project: Project) -> list[str]:
    return (project.root.with_name("agents") / "starts").read_text().split()


def test_one_that_ended_well_is_not_repeated(project: Project) -> None:
    goes_on(project, killed_amid_the_attempt(project), "")
    run(project)
    assert starts(project) == ["1"]
    events = [entry.event for entry in read(only(project).journal)]
    assert [one.role for one in events if isinstance(one, AttemptStarted)] == ["implement", "review"]
    ended = next(one for one in events if isinstance(one, AttemptEnded))
    assert (ended.role, ended.attempt, ended.failure) == ("implement", 1, None)
    assert any("is not repeated" in one.text for one in events if isinstance(one, Notice))
    shown = subprocess.run(
        ["git", "show", "main:WP01.txt"], cwd=project.root, capture_output=True, text=True, check=True
    )
    assert shown.stdout == "done"


def _still_at_work(project: Project, supervisor: psutil.Process) -> None:
    """The next run ends it; it says of itself, with exit status 0, that it ended well."""


def _failed(project: Project, supervisor: psutil.Process) -> None:
    goes_on(project, supervisor, "3")


def _damaged(text: bytes) -> Callable[[Project, psutil.Process], None]:
    def done(project: Project, supervisor: psutil.Process) -> None:
        goes_on(project, supervisor, "")
        (record,) = only(project).directory.glob("logs/WP01/implement-1.exit")
        assert record.read_bytes().startswith(b"0 ")
        record.write_bytes(text)

    return done


def _linked(project: Project, supervisor: psutil.Process) -> None:
    goes_on(project, supervisor, "")
    (record,) = only(project).directory.glob("logs/WP01/implement-1.exit")
    record.rename(record.with_suffix(".moved"))
    record.symlink_to(record.with_suffix(".moved"))


@pytest.mark.parametrize(
    "spoil",
    [_still_at_work, _failed, _damaged(b""), _damaged(b"0 1.000\nmore"), _damaged(b"-9 1.000\n"), _linked],
    ids=["at work", "failed", "empty", "garbled", "killed", "linked"],
)
def test_what_nobody_knows_or_failed_is_repeated_once(
    project: Project, spoil: Callable[[Project, psutil.Process], None]
) -> None:
    spoil(project, killed_amid_the_attempt(project))
    (project.root.with_name("agents") / "go").write_text("")
    if spoil is _still_at_work:
        (project.root.with_name("agents") / "go").unlink()
    run(project)
    assert starts(project) == ["1", "2"]
