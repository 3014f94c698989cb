"""An executor on another machine: another folder with a copy of the repository, another home, other secrets.

It gets nothing but descriptions, sent as bytes, and git objects; what its agents did comes back as a bundle.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

from kitty_run.agents.model import CheckResult, Denial, OnDenied, OnStarted, Outcome, Started
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.execution.local import LocalExecutor
from kitty_run.execution.protocol import (
    AttemptObserver,
    AttemptResult,
    AttemptSpec,
    Brought,
    CheckSpec,
    Prepared,
    Site,
)
from kitty_run.execution.workspace_protocol import SetupObserver, SetupResult, SetupSpec, WorkspaceState
from kitty_run.git.guard.excluded import EXCLUDE, with_paths
from kitty_run.git.protocols import Snapshot
from kitty_run.git.workspaces.workspace import Workspace
from kitty_run.machine import MachineFault
from kitty_run.profile.model import Agent, Policy
from kitty_run.profile.workspace import SetupStep, WorkspaceConfig

from tests.git_repos import GitRepo

Spec = TypeVar("Spec", AttemptSpec, CheckSpec, SetupSpec)


@dataclass(frozen=True)
class _Relay:
    """Tells the engine of an attempt over there, with files of the engine's machine."""

    observer: AttemptObserver
    log: Path
    prompt: Path

    async def prepared(self, ready: Prepared) -> None:
        shutil.copyfile(ready.prompt, self.prompt)
        await self.observer.prepared(Prepared(ready.argv, self.log, self.prompt))

    async def started(self, process: Started) -> None:
        await self.observer.started(process)

    async def denied(self, denial: Denial) -> None:
        await self.observer.denied(denial)


@dataclass(frozen=True)
class _SetupRelay:
    """The same of a setup over there."""

    observer: SetupObserver
    site: Site
    spec: SetupSpec

    def log(self, there: Path) -> Path:
        facts = self.spec.attempt
        return self.site.files(facts.run_id).log(facts.wp, there.stem)

    async def begun(self, step: SetupStep, log: Path) -> None:
        await self.observer.begun(step, self.log(log))

    async def started(self, process: Started) -> None:
        await self.observer.started(process)

    async def denied(self, denial: Denial) -> None:
        await self.observer.denied(denial)

    async def ended(self, step: CheckResult) -> None:
        await self.observer.ended(replace(step, log=_copied(step.log, self.log(step.log))))


class BundleExecutor:
    """See the module. `home` is a new folder: the other machine."""

    def __init__(self, engine: Site, home: Path, secrets: Mapping[str, str]) -> None:
        self._engine = engine
        self._home = home
        self._copy = GitRepo(home / "copy")
        self._copy.path.mkdir(parents=True)
        self._copy.git("init", "-q", "-b", "nothing")
        self._copy.git("config", "user.name", "Worker")
        self._copy.git("config", "user.email", "worker@example.com")
        there = {**engine.environment, **secrets, "HOME": str(home)}
        self._local = LocalExecutor(Site(self._copy.path, self._files, engine.now, there))
        self._left: dict[str, Mapping[str, str]] = {}
        self.sent: list[bytes] = []
        self.brought: list[Path] = []
        self.closed = False

    async def unfit(self, agents: Sequence[Agent], policy: Policy) -> str | None:
        return await self._local.unfit(agents, policy)

    async def attempt(self, spec: AttemptSpec, observer: AttemptObserver) -> AttemptResult:
        spec = self._received(spec)
        facts, files = spec.attempt, self._engine.files(spec.attempt.run_id)
        worktree = await asyncio.to_thread(self._check_out, spec.workspace)
        log = files.log(facts.wp, facts.name)
        relay = _Relay(observer, log, files.prompt(facts.wp, facts.name))
        result = await self._local.attempt(spec, relay)
        outcome = _with_logs(result.outcome, log)
        there = Workspace(worktree.path, self._copy.path)
        state = spec.workspace
        await there.separate(Snapshot(state.head, state.branch, state.tree), self._left.get(state.name, {}))
        brought = await asyncio.to_thread(self._bring, spec, worktree)
        return replace(result, outcome=outcome, brought=brought)

    async def check(
        self, spec: CheckSpec, on_started: OnStarted, on_denied: OnDenied
    ) -> tuple[CheckResult, ...]:
        spec = self._received(spec)
        await asyncio.to_thread(self._check_out, spec.workspace)
        results = await self._local.check(spec, on_started, on_denied)
        files = self._engine.files(spec.attempt.run_id)
        return tuple(
            replace(result, log=_copied(result.log, files.log(spec.attempt.wp, result.log.stem)))
            for result in results
        )

    async def lacking(self, config: WorkspaceConfig) -> str | None:
        return await self._local.lacking(config)

    async def set_up(self, spec: SetupSpec, observer: SetupObserver) -> SetupResult:
        spec = self._received(spec)
        await asyncio.to_thread(self._check_out, spec.workspace)
        result = await self._local.set_up(spec, _SetupRelay(observer, self._engine, spec))
        exclude = self._copy.path / ".git" / EXCLUDE
        exclude.write_bytes(with_paths(exclude.read_bytes(), (*spec.config.copy, *result.left)))
        self._left[spec.workspace.name] = result.left
        return replace(result, here=False)

    async def tear_down(self, spec: SetupSpec, observer: SetupObserver) -> SetupResult:
        spec = self._received(spec)
        return await self._local.tear_down(spec, _SetupRelay(observer, self._engine, spec))

    async def fault(self, run: str, wp: str, workspace: str) -> MachineFault | None:
        return await self._local.fault(run, wp, workspace)

    async def leftovers(self, runs: frozenset[str]) -> tuple[str, ...]:
        return await self._local.leftovers(runs)

    async def end_leftovers(
        self, markers: Collection[str], started: Sequence[Started], workspaces: Collection[str]
    ) -> int:
        return await self._local.end_leftovers(markers, started, workspaces)

    async def finished(self, spec: AttemptSpec) -> AttemptResult | None:
        return None

    async def others_in(self, workspace: str) -> tuple[str, ...]:
        return ()

    async def close(self) -> None:
        self.closed = True

    def _files(self, run: str) -> RunPlace:
        folder = self._home / "runs" / run
        folder.mkdir(parents=True, exist_ok=True)
        return RunPlace(folder)

    def _received(self, spec: Spec) -> Spec:
        """The description as it arrives: bytes, which name no path of the engine's machine."""
        sent = pickle.dumps(spec)
        plain = json.dumps(asdict(spec))
        assert str(self._engine.repo) not in plain
        self.sent += [sent, plain.encode()]
        received: Spec = pickle.loads(sent)  # noqa: S301 - our own
        assert received == spec
        return received

    def _check_out(self, workspace: WorkspaceState) -> GitRepo:
        """The workspace in the copy, as it is described: the commit, and what lies there uncommitted."""
        engine = GitRepo(self._engine.repo)
        state = engine.git("commit-tree", workspace.tree, "-p", workspace.head, "-m", "state")
        name = Path(workspace.name).name
        refs = (f"{workspace.head}:refs/in/{name}/head", f"{state}:refs/in/{name}/state")
        engine.git("push", "-q", "--force", str(self._copy.path), *refs)
        worktree = GitRepo(self._copy.path / workspace.name)
        branch = ("-B", workspace.branch) if workspace.branch else ("--detach",)
        if worktree.path.exists():  # with what was installed there
            worktree.git("clean", "-ffdq")
            worktree.git("checkout", "-q", "--force", *branch, workspace.head)
        else:
            self._copy.git("worktree", "add", "-q", *branch, str(worktree.path), workspace.head)
        worktree.git("read-tree", "-u", "--reset", state)
        worktree.git("reset", "-q")
        return worktree

    def _bring(self, spec: AttemptSpec, worktree: GitRepo) -> Brought:
        """What the workspace over there holds now, in the engine's object store."""
        head = worktree.head()
        worktree.git("add", "--all")
        tree = worktree.git("write-tree")
        state = worktree.git("commit-tree", tree, "-p", head, "-m", "state")
        ref = f"refs/out/{spec.marker}"
        worktree.git("update-ref", ref, state)
        bundle = self._home / f"{spec.marker.replace('/', '-')}.bundle"
        worktree.git("bundle", "create", "-q", str(bundle), ref, f"^{spec.workspace.head}")
        engine = GitRepo(self._engine.repo)
        engine.git("bundle", "verify", "-q", str(bundle))
        engine.git("bundle", "unbundle", str(bundle))
        self.brought.append(bundle)
        return Brought(head, tree)


def _with_logs(outcome: Outcome, log: Path) -> Outcome:
    """`outcome` with its logs on the engine's machine."""
    end = outcome.exit
    stderr = log.with_suffix(".stderr.log")
    return replace(
        outcome, exit=replace(end, stdout=_copied(end.stdout, log), stderr=_copied(end.stderr, stderr))
    )


def _copied(source: Path, target: Path) -> Path:
    shutil.copyfile(source, target)
    return target
