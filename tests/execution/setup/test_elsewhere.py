"""Setup and copies are the executor's: they happen where it works, with what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.engine.state.events import SetupEnded, WorkspacePrepared
from kitty_run.errors import ExitStatus
from kitty_run.execution import executors
from kitty_run.execution.protocol import Executor, Site
from kitty_run.profile.model import ExecutorConfig

from tests.execution.bundle_executor import BundleExecutor
from tests.execution.setup.project import events, git, merged, project, run, step

IMPLEMENT = """\
import os, pathlib, sys
sys.stdin.read()
assert pathlib.Path(".env").read_text() == "of the worker"
assert pathlib.Path("venv/lib").read_text().strip() == os.environ["HOME"]
pathlib.Path("made.txt").write_text("by the agent")
pathlib.Path("work.txt").write_text(os.environ["HOME"])
"""

LEAVES = 'pwd && mkdir venv && echo "$HOME" > venv/lib && echo made > made.txt && echo as-it-is > kept.txt'


@pytest.mark.whole
def test_a_workspace_is_prepared_where_the_executor_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[BundleExecutor] = []

    async def elsewhere(_: ExecutorConfig, site: Site) -> Executor:
        opened.append(BundleExecutor(site, tmp_path / "elsewhere", {}))
        (tmp_path / "elsewhere" / "copy" / ".env").write_text("of the worker")
        return opened[-1]

    monkeypatch.setitem(executors.KINDS, "local", elsewhere)  # type: ignore[arg-type]
    made = project(
        tmp_path,
        {"copy": [".env"], "setup": [step("install", LEAVES)], "teardown": [step("down", "pwd")]},
        implementer=IMPLEMENT,
        checks=[step("there", "test -f venv/lib && test -f .env")],
        passed=["HOME"],
    )
    done = run(made)
    assert done.status == ExitStatus.OK, done.err
    assert merged(made) == {"work.txt", "made.txt"}
    assert git(made, "show", "main:made.txt") == "by the agent"
    prepared = next(event for event in events(made, WorkspacePrepared) if event.role == "implement")
    assert prepared.copied == (".env",)
    assert set(prepared.left) == {"venv/", "made.txt", "kept.txt"}
    ended = events(made, SetupEnded)
    assert [event.name for event in ended] == ["install", "install", "down", "down"]
    for event in ended:  # logs are brought, too
        assert event.log.is_relative_to(made.root)
        assert event.log.read_text().startswith(str(tmp_path / "elsewhere"))
    assert not list(made.root.glob(".worktrees/*/venv"))
    assert b"of the worker" not in b"".join(opened[0].sent)
