"""A daemon without environment that works in no workspace, and commits there between approval and merge."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from kitty_run.errors import ExitStatus

from tests.cli.project import IMPLEMENT, Project, make

pytestmark = pytest.mark.whole

DAEMON = """\
import glob, os, subprocess, sys, time
room, root, place = sys.argv[1:]
open(room + "/daemon", "w").write(str(os.getpid()))
def continued():
    lines = [line for path in glob.glob(root + "/.kitty-run/runs/*/events.jsonl") for line in open(path)]
    return any('"attempt.started"' in line and '"WP02"' in line for line in lines)
while not continued():
    time.sleep(0.02)
open(place + "/backdoor.py", "w").write("evil")
git = ["git", "-C", place, "-c", "user.name=x", "-c", "user.email=x@example.com"]
env = {"PATH": os.defpath}
subprocess.run([*git, "add", "--all"], check=True, env=env)
subprocess.run([*git, "commit", "-q", "-m", "sneaked in"], check=True, env=env)
open(room + "/committed", "w").close()
"""
IMPLEMENTER = """\
import os, pathlib, signal, sys, time
room, wp = pathlib.Path(__file__).parent, os.environ["KITTY_WP"]
def wait_for(name):
    while not (room / name).exists():
        time.sleep(0.02)
if wp == "WP01" and not (room / "daemon").exists():
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        place = os.getcwd()
        os.chdir("/")
        code = (room / "daemon.py").read_text()
        argv = [sys.executable, "-I", "-c", code, str(room), str(room.parent / "repo"), place]
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(1, 2)
        os.execve(sys.executable, argv, {})
    wait_for("daemon")
    if (room / "kill").exists():
        os.kill(os.getppid(), signal.SIGKILL)
if wp == "WP02" and (room / "kill").exists():
    wait_for("committed")
"""


def project_with_daemon(tmp_path: Path, *, supervisor_killed: bool) -> Project:
    project = make(tmp_path / "repo", implementer=IMPLEMENTER + IMPLEMENT)
    room = project.root.with_name("agents")
    (room / "daemon.py").write_text(DAEMON, encoding="utf-8")
    if supervisor_killed:
        (room / "kill").touch()
    return project


def merged(project: Project) -> list[str]:
    words = ("git", "ls-tree", "-r", "--name-only", "main")
    done = subprocess.run(words, cwd=project.root, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_it_ends_with_its_attempt(tmp_path: Path) -> None:
    project = project_with_daemon(tmp_path, supervisor_killed=False)
    done = project.kitty_run(str(project.profile), "--mission", "demo")
    assert done.status == ExitStatus.OK, done.err
    room = project.root.with_name("agents")
    assert not psutil.pid_exists(int((room / "daemon").read_text()))
    assert not (room / "committed").exists()
    assert "backdoor.py" not in merged(project)


def test_what_it_commits_is_found_before_the_merge_where_it_killed_its_supervisor(tmp_path: Path) -> None:
    project = project_with_daemon(tmp_path, supervisor_killed=True)
    done = project.kitty_run(str(project.profile), "--mission", "demo", "--json")
    room = project.root.with_name("agents")
    if psutil.pid_exists(pid := int((room / "daemon").read_text())):
        os.kill(pid, signal.SIGKILL)
    assert (room / "committed").exists(), "the attack was not made"
    assert done.status == ExitStatus.OK, done.err
    assert "backdoor.py" not in merged(project)
    (journal,) = project.root.glob(".kitty-run/runs/*/events.jsonl")
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    (told,) = [line for line in lines if line["type"] == "branch.put_back"]
    assert "sneaked in (backdoor.py)" in told["foreign"][0]
