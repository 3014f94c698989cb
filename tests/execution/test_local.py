"""Attempts and checks on this machine, from their descriptions."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kitty_run.agents.launch.prompts import NO_DIFF
from kitty_run.agents.launch.task import Task
from kitty_run.agents.model import AttemptFacts, Denial, Started
from kitty_run.agents.results.verdict import NoVerdict
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.errors import LaunchError
from kitty_run.execution.local import LocalExecutor
from kitty_run.execution.protocol import AttemptResult, AttemptSpec, CheckSpec, Prepared, Site
from kitty_run.execution.workspace_protocol import WorkspaceState
from kitty_run.profile.model import AgentEnv, Check, Extra

from tests.agents.making import POLICY, agent
from tests.execution.launching import no_denial, no_note

KEEPS = {axis: {value: Extra()} for axis, value in POLICY.axes.items()}


class Watching:
    """An observer that remembers what it is told, and refuses what it is told to."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.ready: list[Prepared] = []
        self.processes: list[Started] = []
        self._refusal = refusal

    async def prepared(self, ready: Prepared) -> None:
        self.ready.append(ready)
        if self._refusal is not None:
            raise self._refusal

    async def denied(self, denial: Denial) -> None:
        raise AssertionError(denial)

    async def started(self, process: Started) -> None:
        self.processes.append(process)


def spec(script: str, role: str = "implement", **changes: Any) -> AttemptSpec:
    """An attempt by a Python script."""
    facts: dict[str, Any] = {"run_id": "r1", "mission": "m", "wp": "WP01", "title": "T", "role": role}
    one = agent(
        command=(sys.executable, "-c", script),
        args=(),
        enforce=KEEPS,
        env=AgentEnv(("TOKEN",), {"SET": "by the profile"}),
    )
    fields: dict[str, Any] = {
        "attempt": AttemptFacts(**facts, dependencies=(), attempt=1, cycle=1, base="b"),
        "workspace": WorkspaceState("rooms/one", "branch", "head", "tree"),
        "agent": one,
        "policy": POLICY,
        "task": Task("WP01", "Do it.", "T"),
        "template": None,
        "diff": NO_DIFF,
        "note": "",
        "verdict_code": "c0de" if role == "review" else None,
    }
    return AttemptSpec(**{**fields, **changes})


def executor(tmp_path: Path, **environment: str) -> LocalExecutor:
    (tmp_path / "repo" / "rooms" / "one").mkdir(parents=True)
    (tmp_path / "run").mkdir()
    site = Site(
        tmp_path / "repo",
        lambda _: RunPlace(tmp_path / "run"),
        lambda: datetime.now(UTC),
        {"PATH": "/usr/bin:/bin", **environment},
    )
    return LocalExecutor(site)


def run(tmp_path: Path, described: AttemptSpec, observer: Watching, **environment: str) -> AttemptResult:
    return asyncio.run(executor(tmp_path, **environment).attempt(described, observer))


def test_paths_secrets_and_the_prompt_are_those_of_the_machine(tmp_path: Path) -> None:
    script = (
        "import os, sys; print(os.getcwd(), os.environ['TOKEN'], os.environ['SET'], 'OTHER' in os.environ);"
        "print(sys.stdin.read())"
    )
    observer = Watching()
    result = run(tmp_path, spec(script), observer, TOKEN="of this machine", OTHER="x")
    workspace = tmp_path / "repo" / "rooms" / "one"
    text = result.outcome.exit.stdout.read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"{workspace} of this machine by the profile False"
    assert f"Work only inside {workspace}" in text
    [ready] = observer.ready
    assert ready.log == result.outcome.exit.stdout == tmp_path / "run" / "logs" / "WP01" / "implement-1.log"
    assert ready.prompt.read_text(encoding="utf-8") in text
    assert len(observer.processes) == 1
    assert result.outcome.failure is None
    assert (result.verdict, result.brought) == (None, None)


def test_what_the_engine_refuses_is_not_started(tmp_path: Path) -> None:
    observer = Watching(refusal=RuntimeError("no more"))
    with pytest.raises(RuntimeError, match="no more"):
        run(tmp_path, spec("open('touched', 'w')"), observer)
    assert observer.processes == []
    assert list((tmp_path / "repo" / "rooms" / "one").iterdir()) == []


def test_a_reviewer_s_file_comes_back_as_it_is_or_with_what_is_wrong(tmp_path: Path) -> None:
    said = "import os; open(os.environ['KITTY_VERDICT_FILE'], 'w').write('as it is')"
    assert run(tmp_path / "a", spec(said, "review"), Watching()).verdict == "as it is"
    linked = "import os; os.symlink('/etc/passwd', os.environ['KITTY_VERDICT_FILE'])"
    assert isinstance(run(tmp_path / "b", spec(linked, "review"), Watching()).verdict, NoVerdict)
    assert run(tmp_path / "c", spec("pass", "review"), Watching()).verdict is None


def test_a_workspace_that_is_not_there_is_no_agent_s_fault(tmp_path: Path) -> None:
    gone = spec("pass", workspace=WorkspaceState("rooms/two", None, "head", "tree"))
    with pytest.raises(LaunchError, match="rooms/two"):
        run(tmp_path, gone, Watching())


def test_checks_run_where_the_attempt_ran_with_its_variables(tmp_path: Path) -> None:
    one = spec("pass")
    script = 'echo "[$TOKEN] $PWD $KITTY_WP $KITTY_ROLE $KITTY_ATTEMPT"'
    described = CheckSpec(
        attempt=one.attempt,
        workspace=one.workspace,
        checks=(Check("where", ("sh", "-c", script)),),
        agent=one.agent,
        policy=one.policy,
    )
    [result] = asyncio.run(executor(tmp_path, TOKEN="secret").check(described, no_note, no_denial))
    assert result.tail == f"[] {tmp_path / 'repo' / 'rooms' / 'one'} WP01 implement 1"
    assert result.log == tmp_path / "run" / "logs" / "WP01" / "check-where-1.log"
    assert described.marker == "r1/WP01/checks-1"
