"""The runner's own sandbox, with a real bubblewrap: what is kept, and what still works inside."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from kitty_run.agents.launch.argv import Command
from kitty_run.execution.processes import LaunchError
from kitty_run.execution.sandbox.bubblewrap import unavailable
from kitty_run.execution.sandbox.confine import Place, confine, needed
from kitty_run.profile.load import load
from kitty_run.profile.model import Agent, Extra
from kitty_run.profile.validation.problems import ProfileInvalid

from tests.agents.making import POLICY, agent
from tests.execution import bubblewrap
from tests.execution.launching import launch, run
from tests.execution.sandbox import confining
from tests.execution.sandbox.confining import KEPT, confined, inside, policy

WRITE = """
import json, sys
def tries(path):
    try:
        with open(path, "w") as file:
            file.write("x")
        return True
    except OSError:
        return False
print(json.dumps({path: tries(path) for path in sys.argv[1:]}))
"""


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{bubblewrap.directory()}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return confining.repository(tmp_path)


def written(repo: Path, *paths: Path, **more: Any) -> dict[str, bool]:
    ended = inside(repo, WRITE, *map(str, paths), **more)
    assert ended.status == 0, ended.stderr.read_text()
    results: dict[str, bool] = json.loads(ended.stdout.read_text())
    return {os.path.relpath(path, repo.parent): done for path, done in results.items()}


def test_only_the_workspace_and_the_listed_home_can_be_written(repository: Path) -> None:
    home, workspace = repository.parent / "home", repository / ".worktrees" / "wp"
    paths = [
        workspace / "new.py",
        home / ".agent" / "session",
        workspace / "kitty-specs" / "meta.json",
        repository / "stray",
        repository / ".git" / "config",
        repository / ".worktrees" / "other",
        home / "stray",
        Path("/etc/kitty-run-stray"),
    ]
    done = list(written(repository, *paths).values())
    assert done[:3] == [True, True, False]
    assert done[-1] is False
    assert [path.exists() for path in paths] == [True, True, *[False] * 6]
    assert (workspace / "new.py").read_text() == "x"


def test_a_listed_home_that_is_not_there_yet_can_be_written(repository: Path) -> None:
    directory = repository.parent / "home" / ".agent"
    shutil.rmtree(directory)
    assert all(written(repository, directory / "session").values())
    assert (directory / "session").read_text() == "x"


def test_a_listed_home_that_cannot_be_made_is_named(repository: Path) -> None:
    directory = repository.parent / "home" / ".agent"
    shutil.rmtree(directory)
    directory.symlink_to("nowhere/at-all")
    with pytest.raises(LaunchError, match=r"cannot make .*\.agent for the sandbox"):
        confined(repository, ("true",), policy())


def test_temporary_files_stay_inside(repository: Path) -> None:
    stray = Path("/tmp") / f"kitty-run-{os.getpid()}"  # noqa: S108 - it is not used
    assert all(written(repository, stray).values())
    assert not stray.exists()


def test_a_reviewer_writes_its_verdict_and_nothing_else(repository: Path) -> None:
    verdicts = repository / ".kitty-run" / "verdicts"
    verdicts.mkdir(parents=True)
    paths = (repository / ".worktrees" / "wp" / "new.py", verdicts / "review-1.json")
    done = written(repository, *paths, role="review", writes=(verdicts,))
    assert list(done.values()) == [False, True]


def test_a_read_only_policy_holds_for_implementers_too(repository: Path) -> None:
    done = written(repository, repository / ".worktrees" / "wp" / "new.py", kept=policy("read_only"))
    assert not any(done.values())


def test_keys_in_the_home_directory_are_not_there(repository: Path) -> None:
    key = repository.parent / "home" / ".ssh" / "id"
    ended = inside(repository, f"import os; print(os.path.exists({str(key)!r}))")
    assert ended.stdout.read_text() == "False\n"


CONNECT = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
    print("connected")
except OSError:
    print("refused")
"""


@pytest.mark.parametrize(("network", "answer"), [("none", "refused"), ("open", "connected")])
def test_no_connection_leaves_it_where_the_policy_says_none(
    repository: Path, network: str, answer: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        ended = inside(repository, CONNECT, port, kept=policy(network=network))
    assert ended.stdout.read_text().strip() == answer, ended.stderr.read_text()


def test_the_network_alone_can_be_left_to_it(repository: Path) -> None:
    stray = repository / "stray"
    assert all(written(repository, stray, kept=policy("none")).values())
    assert stray.exists()


def test_exit_status_and_output_pass_through(repository: Path) -> None:
    ended = inside(repository, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(41)")
    assert (ended.ending, ended.status) == ("exit", 41)
    assert ended.stdout.read_text() == "out\n"
    assert ended.stderr.read_text() == "err\n"


def test_nothing_survives_a_time_limit(repository: Path) -> None:
    stubborn = (
        "import os, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "subprocess.Popen(['sleep', '4242'], start_new_session=True, env={}); time.sleep(60)"
    )
    command, env = confined(repository, (sys.executable, "-c", stubborn), policy())
    cwd = repository / ".worktrees" / "wp"
    ended = run(launch(repository.parent, "", argv=command.argv, cwd=cwd, env=env, timeout=1.0))
    assert ended.ending == "timeout"
    assert not [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "4242"]]


def test_people_see_the_sandbox_in_the_command(repository: Path) -> None:
    command, _ = confined(repository, ("robo",), policy())
    assert "--unshare-net" in command.shown
    assert command.shown[-1] == command.argv[-1] == "robo"


def test_an_agent_that_keeps_its_policy_itself_is_not_wrapped(tmp_path: Path) -> None:
    one = agent()
    command = Command(("robo",), ("robo",), None)
    assert confine(command, one, "implement", POLICY, {}, Place(tmp_path)) is command
    assert not needed(one, POLICY)
    assert needed(agent(enforce=KEPT, sandbox="bubblewrap"), policy())
    assert not needed(agent(enforce=KEPT, sandbox="bubblewrap"), policy("none", "open"))


def test_that_it_runs_here_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert unavailable() is None
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'no permissions to create new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert "no permissions to create new namespace" in str(unavailable())


def test_without_bubblewrap_nothing_runs_unconfined(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "not installed" in str(unavailable())
    with pytest.raises(LaunchError, match="install the package bubblewrap"):
        confined(repository, ("robo",), policy())


PROFILE = """
version: 1
agents:
  robo:
    command: [robo]
    sandbox: {sandbox}
    enforce:
      sandbox_mode: {{workspace_write: {writes}}}
      network_mode: {{none: {{runner: true, args: [--quiet]}}}}
      approval_mode: {{supervised: {asks}}}
roles:
  implement: {{agents: [robo]}}
  review: {{agents: [robo]}}
"""


def loaded(directory: Path, sandbox: str = "bubblewrap", writes: str = "runner", asks: str = "[]") -> Agent:
    path = directory / "profile.yaml"
    path.write_text(PROFILE.format(sandbox=sandbox, writes=writes, asks=asks))
    return load(path).profile.agents["robo"]


def test_a_profile_says_what_is_left_to_the_runner(tmp_path: Path) -> None:
    one = loaded(tmp_path)
    assert one.sandbox == "bubblewrap"
    assert one.enforce["sandbox_mode"]["workspace_write"] == Extra(runner=True)
    assert one.enforce["network_mode"]["none"] == Extra(("--quiet",), runner=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sandbox": "none"}, "add `sandbox: bubblewrap`"),
        ({"asks": "runner"}, "can't keep approval_mode: supervised"),
        ({"writes": "walker"}, "walker"),
    ],
)
def test_what_it_cannot_keep_is_refused(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    with pytest.raises(ProfileInvalid, match=words):
        loaded(tmp_path, **changes)
