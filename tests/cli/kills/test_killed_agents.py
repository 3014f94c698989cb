"""An agent that outlives its killed runner is ended before another one starts, whatever the journal holds."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep

import psutil
import pytest
from kitty_run.engine import others_at_work
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.errors import ExitStatus

from tests.cli.project import LOST, REVIEW, Project, make, only

pytestmark = pytest.mark.whole

HIDDEN = """\
import os, pathlib, sys, time
room = pathlib.Path(__file__).parent
if "KITTY_WP" in os.environ:
    first = not (room / "first").exists()
    (room / "first").touch()
    name = os.environ["KITTY_WP"]
    if first:
        os.execve(sys.executable, [sys.executable, __file__, name], {})  # nothing is left in its environment
    pathlib.Path(name + ".txt").write_text("done")
    sys.exit()
(room / "pid").write_text(str(os.getpid()))
while True:
    pathlib.Path("late.txt").write_text(str(time.time()))
    time.sleep(0.05)
"""
HIDDEN_REVIEWER = HIDDEN.replace('pathlib.Path(name + ".txt").write_text("done")', "exec(REVIEW)").replace(
    "import os,", f"REVIEW = {REVIEW!r}\nimport os,"
)


def _torn(place: RunPlace) -> None:
    data = place.journal.read_bytes()
    place.journal.write_bytes(data[: len(data) - 9])


def _without_last(count: int) -> Callable[[RunPlace], object]:
    def damage(place: RunPlace) -> None:
        lines = place.journal.read_bytes().splitlines(keepends=True)
        place.journal.write_bytes(b"".join(lines[:-count]))

    return damage


def _without_type(name: str) -> Callable[[RunPlace], object]:
    def damage(place: RunPlace) -> None:
        lines = place.journal.read_bytes().splitlines(keepends=True)
        place.journal.write_bytes(b"".join(line for line in lines if f'"{name}"'.encode() not in line))

    return damage


def _garbled(place: RunPlace) -> None:
    lines = place.journal.read_bytes().splitlines(keepends=True)
    place.journal.write_bytes(b"".join([*lines[:-2], b'{"v": 1, "seq": []}\n', b"\xff\x00\n"]))


DAMAGE: dict[str, Callable[[RunPlace], object]] = {
    **{name: damage for name, damage in LOST.items() if name != "linked"},  # refused: nothing starts then
    "torn": _torn,
    "the last line lost": _without_last(1),
    "the last three lines lost": _without_last(3),
    "no process named": _without_type("attempt.process"),
    "no attempt named": _without_type("attempt.started"),
    "no start": _without_type("run.started"),
    "garbled": _garbled,
    "all of the runner's directory removed": lambda place: shutil.rmtree(place.directory.parents[1]),
}
ALWAYS = {"cut", "removed", "no process named", "all of the runner's directory removed"}
"""What is played in `make test`: less than all, a journal that is there or not, and nothing at all."""


@pytest.fixture
def left() -> Iterator[list[int]]:
    """Processes to be ended after the test."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)


def start(project: Project) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "kitty_run", str(project.profile), "--mission", "demo"]
    return subprocess.Popen(argv, cwd=project.root, stderr=subprocess.DEVNULL, text=True)


def killed_amid_an_attempt(project: Project) -> int:
    """Kill a runner alone while its agent works; the agent's process id."""
    file = project.root.with_name("agents") / "pid"
    with start(project) as runner:
        while not file.exists() or not file.read_text():
            assert runner.poll() is None
            sleep(0.02)
        runner.kill()
    return int(file.read_text())


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def run(project: Project) -> dict[str, object]:
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json")
    return {"status": done.status, "err": done.err, **json.loads(done.out or "{}")}


@pytest.mark.parametrize(
    "outside",
    [pytest.param(True, id="copy kept", marks=pytest.mark.slow), pytest.param(False, id="copy lost")],
)
@pytest.mark.parametrize(
    "damage", [name if name in ALWAYS else pytest.param(name, marks=pytest.mark.slow) for name in DAMAGE]
)
@pytest.mark.parametrize("role", ["implement", pytest.param("review", marks=pytest.mark.slow)])
def test_an_agent_without_environment_is_ended_whatever_the_journal_holds(  # noqa: PLR0917 - fixtures
    tmp_path: Path,
    role: str,
    damage: str,
    outside: bool,
    left: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    scripts = {"implementer": HIDDEN} if role == "implement" else {"reviewer": HIDDEN_REVIEWER}
    project = make(tmp_path / "repo", dependencies={"WP01": ()}, **scripts)
    pid = killed_amid_an_attempt(project)
    left.append(pid)
    assert lives(pid)
    DAMAGE[damage](only(project))
    if not outside:
        shutil.rmtree(tmp_path / "state")
    ended = run(project)
    assert not lives(pid), "two agents at once"
    assert ended["status"] == ExitStatus.OK, ended
    shown = subprocess.run(
        ["git", "show", "--stat", "main"], cwd=project.root, capture_output=True, text=True, check=True
    )
    assert "WP01.txt" in shown.stdout or role == "review"


def workspace_of(project: Project, left: list[int]) -> Path:
    """Where the agent of a killed run works."""
    left.append(killed_amid_an_attempt(project))
    return Path(psutil.Process(left[0]).cwd())


def persons(place: Path, left: list[int]) -> int:
    """The id of a process of somebody else's in `place`; none of the test's, and so none of the runner's."""
    script = "import os, time; os.fork() and os._exit(0); os.setsid(); print(os.getpid(), flush=True)\n"
    script += "os.dup2(os.open(os.devnull, os.O_RDWR), 1); time.sleep(600)"
    argv = [sys.executable, "-c", script]
    done = subprocess.run(argv, cwd=place, stdout=subprocess.PIPE, text=True, check=True)
    left.append(int(done.stdout))
    return left[-1]


def test_a_persons_process_in_the_workspace_is_named_and_waited_for_after_a_kill(
    tmp_path: Path, left: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(others_at_work, "PATIENCE", 1.0)
    project = make(tmp_path / "repo", dependencies={"WP01": ()}, implementer=HIDDEN)
    shell = persons(workspace_of(project, left), left)
    for _ in range(2):
        ended = run(project)
        assert ended["status"] == ExitStatus.PAUSED, ended
        assert f"process {shell} (python" in json.dumps(ended)
        assert lives(shell), "it is a person's"
    assert not lives(left[0]), "the agent"
    os.kill(shell, signal.SIGKILL)
    assert run(project)["status"] == ExitStatus.OK


def test_a_persons_process_elsewhere_in_the_repository_is_no_hindrance_and_lives_on(
    tmp_path: Path, left: list[int]
) -> None:
    """A daemon of theirs in another worktree, which looks as one that an agent left: it has no parent."""
    project = make(tmp_path / "repo", dependencies={"WP01": ()}, implementer=HIDDEN)
    workspace_of(project, left)
    os.kill(left[0], signal.SIGKILL)
    own = tmp_path / "own"
    subprocess.run(["git", "worktree", "add", "-q", "--detach", own], cwd=project.root, check=True)
    daemon = persons(own, left)
    assert run(project)["status"] == ExitStatus.OK
    assert lives(daemon)
