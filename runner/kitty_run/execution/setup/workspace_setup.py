"""Prepares one worktree of this machine: files are copied, commands run, and what was done is remembered."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from kitty_run.agents.launch.environment import environment, runner_variables
from kitty_run.agents.model import CheckResult
from kitty_run.errors import LaunchError
from kitty_run.execution.checks import PASSED, new_log, run_command
from kitty_run.execution.egress.allowed_hosts import Resolve
from kitty_run.execution.processes import ProcessRunner
from kitty_run.execution.protocol import Site
from kitty_run.execution.sandbox.for_checks import CheckSandbox
from kitty_run.execution.setup import copies, record
from kitty_run.execution.setup.copies import NotCopied
from kitty_run.execution.setup.record import SetupRecord
from kitty_run.execution.setup.worktree import SetupWorktree
from kitty_run.execution.workspace_protocol import SetupObserver, SetupResult, SetupSpec
from kitty_run.git.workspaces.fingerprint import fingerprint
from kitty_run.git.workspaces.setup_changes import MOST, Changes
from kitty_run.git.workspaces.trees import is_below
from kitty_run.profile.model import AgentEnv, Check
from kitty_run.profile.workspace import SetupStep


@dataclass(frozen=True, slots=True)
class _Due:
    """What is to be done: files to copy (with their fingerprints), and the number of the first step."""

    copies: Mapping[str, str]
    first: int | None


class WorkspaceSetup:
    """The setup of the worktree at `path`, which git sees as `worktree`."""

    def __init__(  # noqa: PLR0913, PLR0917 - where, with what, and how
        self,
        spec: SetupSpec,
        site: Site,
        processes: ProcessRunner,
        resolve: Resolve,
        path: Path,
        worktree: SetupWorktree,
    ) -> None:
        self._spec = spec
        self._config = spec.config
        self._site = site
        self._processes = processes
        self._resolve = resolve
        self._path = path
        self._worktree = worktree
        self._file = site.files(spec.attempt.run_id).setup(spec.workspace.name)

    async def set_up(self, observer: SetupObserver) -> SetupResult:
        """See `Executor.set_up`."""
        known = await asyncio.to_thread(record.load, self._file, self._worktree.identity)
        try:
            due = await self._due(known)
            if not due.copies and due.first is None:
                return SetupResult(left=known.left)
            return await self._prepare(known, due, observer)
        except (NotCopied, LaunchError) as problem:
            return SetupResult(left=known.left, refused=str(problem))

    async def tear_down(self, observer: SetupObserver) -> SetupResult:
        """See `Executor.tear_down`; all commands run, whatever comes of each."""
        if not await asyncio.to_thread(self._file.exists):
            return SetupResult()
        with suppress(LaunchError):
            steps = [await self._run(step, "teardown", observer) for step in self._config.teardown]
            await asyncio.to_thread(self._file.unlink, missing_ok=True)
            return SetupResult(tuple(steps))
        return SetupResult(refused="the commands of `workspace.teardown` can't be started")

    async def _due(self, known: SetupRecord) -> _Due:
        wanted = await self._wanted_copies()
        missing = {path for path in wanted if not os.path.lexists(self._path / path)}
        copied = {
            path: one for path, one in wanted.items() if path in missing or known.copied.get(path) != one
        }
        return _Due(copied, await self._first(known, await self._digests()))

    async def _wanted_copies(self) -> dict[str, str]:
        """The files to be copied, with the fingerprint of each; raises `NotCopied`."""
        if already := await self._worktree.tracked(self._config.copy):
            raise NotCopied(
                f"git tracks {', '.join(already[:5])}: every worktree has it. Take it out of `workspace.copy`"
            )
        return await asyncio.to_thread(self._read_copies)

    def _read_copies(self) -> dict[str, str]:
        root = self._site.repo
        found = [path for named in self._config.copy for path in copies.files(root, named)]
        return {path: copies.content(root, path) for path in found}

    async def _first(self, known: SetupRecord, digests: Sequence[str]) -> int | None:
        """The number of the first step that is to run: what comes after it may depend on what it does."""
        if not digests:
            return None
        if not all(os.path.lexists(self._path / path) for path in known.made):
            return 0
        same = zip(known.steps, digests, strict=False)
        begun = next((number for number, (old, new) in enumerate(same) if old != new), len(known.steps))
        return begun if begun < len(digests) else None

    async def _digests(self) -> tuple[str, ...]:
        """Of each step, what it depends on."""
        return tuple([await self._digest(step) for step in self._config.setup])

    async def _digest(self, step: SetupStep) -> str:
        inputs = await self._worktree.matching(step.inputs)
        read = await asyncio.to_thread(lambda: {path: fingerprint(self._path, path) for path in inputs})
        said = [step.name, step.command, self._config.env_set, read]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode(errors="replace")).hexdigest()

    async def _prepare(self, known: SetupRecord, due: _Due, observer: SetupObserver) -> SetupResult:
        before = await self._worktree.look(self._spec.workspace)
        for path, copied in due.copies.items():
            await asyncio.to_thread(copies.copy, self._site.repo, path, self._path)
            known = replace(known, copied={**known.copied, path: copied})
        first = await self._first(known, await self._digests())
        due_steps = () if first is None else self._config.setup[first:]
        # From here on a kill leaves a record of a setup that is to run again.
        known = replace(known, steps=known.steps[:first])
        await asyncio.to_thread(record.save, self._file, known)
        steps, refused = await self._run_all(due_steps, observer)
        changes = self._without_copies(await self._worktree.settle(before))
        refused = refused or _too_much(changes)
        done = 0 if refused else sum(step.passed for step in steps)
        known = await self._remember(known, changes, len(known.steps) + done)
        return SetupResult(steps, tuple(due.copies), changes.put_back, known.left, refused=refused)

    def _without_copies(self, changes: Changes) -> Changes:
        """`changes`, but for files that were copied: whatever becomes of those is nobody's work."""
        copied = {path.rstrip("/") for path in self._config.copy}
        left = {path: known for path, known in changes.left.items() if not is_below(path, copied)}
        return replace(changes, left=left)

    async def _run_all(
        self, steps: Sequence[SetupStep], observer: SetupObserver
    ) -> tuple[tuple[CheckResult, ...], str | None]:
        """Those of `steps` that ran, up to the first that failed, and why the next could not be started."""
        ran: list[CheckResult] = []
        try:
            for step in steps:
                ran.append(await self._run(step, "setup", observer))
                if not ran[-1].passed:
                    break
        except LaunchError as problem:
            return tuple(ran), str(problem)
        return tuple(ran), None

    async def _run(self, step: SetupStep, phase: str, observer: SetupObserver) -> CheckResult:
        facts, files, source = self._spec.attempt, self._site.files(self._spec.attempt.run_id), self._config
        log = new_log(files.log(facts.wp, phase).parent, phase, step.name)
        own = runner_variables(facts.located(self._path), str(files.prompt(facts.wp, facts.name)))
        allowed = AgentEnv((*PASSED, *source.env_pass), source.env_set)
        env = environment(allowed, {}, own, self._site.environment)
        spec = self._spec
        sandbox = CheckSandbox(
            spec.agent, spec.policy, spec.allow, self._path, self._resolve, observer.denied
        )
        await observer.begun(step, log)
        check = Check(step.name, step.command, step.timeout)
        result = await run_command(
            check,
            self._processes,
            sandbox,
            self._path,
            log,
            spec.marker,
            observer.started,
            env,
            spec.log_limit,
        )
        await observer.ended(result)
        return result

    async def _remember(self, known: SetupRecord, changes: Changes, complete: int) -> SetupRecord:
        """Keep what was done: so many steps, with digests of what they left, for they may read that."""
        there = [path for path in known.made if os.path.lexists(self._path / path)]
        done = replace(
            known,
            steps=(await self._digests())[:complete],
            left={**known.left, **changes.left},
            made=tuple(dict.fromkeys((*there, *changes.made))),
        )
        await asyncio.to_thread(record.save, self._file, done)
        return done


def _too_much(changes: Changes) -> str | None:
    """Why what a setup left can't be kept apart from the agents' work."""
    if not changes.strange:
        return None
    return (
        f"it leaves {', '.join(changes.strange[:3])!r}, which can't be kept apart from agents' work (over "
        f"{MOST} files, strange names, or rules for git). List such files in .gitignore, or have the setup "
        "remove them"
    )
