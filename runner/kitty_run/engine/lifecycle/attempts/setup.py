"""Preparing a work package's workspace before somebody works there: asked for, recorded, and judged."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from kitty_run.agents.model import AttemptFacts, CheckResult, Denial, OnStarted, Started
from kitty_run.engine.context import Execution, Run
from kitty_run.engine.lifecycle.attempts.description import Order, facts, next_number, setup_spec
from kitty_run.engine.lifecycle.attempts.process_record import recorded, write_denial
from kitty_run.engine.lifecycle.claim import Assignment
from kitty_run.engine.lifecycle.state_machine import paused
from kitty_run.engine.shutdown import Stop
from kitty_run.engine.state.events import SetupEnded, SetupPhase, SetupStarted, WorkspacePrepared
from kitty_run.errors import WorkspaceError
from kitty_run.execution.workspace_protocol import SetupResult, SetupSpec
from kitty_run.profile.model import Agent
from kitty_run.profile.workspace import SetupStep

LINES = 5
"""Lines of a failed command's output that its message has; all of it is in the log."""


@dataclass(frozen=True, slots=True)
class SetupTrouble:
    """A workspace could not be prepared. `own`: the work package's own changes are what was to be set up."""

    text: str
    output: str
    own: bool


async def set_up(
    run: Run, execution: Execution, at: Assignment, attempt: AttemptFacts, agent: Agent
) -> SetupTrouble | None:
    """Have the workspace prepared for the attempt, or its checks; None: it is, or need not be.

    The root checkout is never prepared: it is the user's, and what is copied comes from there.
    """
    config = run.profile.workspace
    if not config.wanted(attempt.role) or at.workspace.path == run.repo.resolve():
        return None
    run.control.checkpoint()
    before = await at.workspace.snapshot()
    spec = setup_spec(run, at, before, attempt, agent)
    with recorded(run.journal, attempt.wp, spec.marker) as started:
        record = _SetupRecord(run, spec, at.workspace.path, "setup", not before.dirty, started)
        try:
            result = await execution.executor.set_up(spec, record)
        except WorkspaceError as error:  # before anybody is paid, and before anything is blocked
            raise Stop(paused(f"the workspace can't be set up: {error}")) from error
    trouble = await _trouble(run, at, result)
    memory = run.remember(attempt.wp)
    news = attempt.role == "implement" and (memory.setting_up is not None or memory.left != result.left)
    if result.steps or result.copied or trouble is not None or news:
        run.journal.write(
            WorkspacePrepared(
                attempt.wp,
                role=attempt.role,
                path=at.workspace.path,
                passed=trouble is None,
                copied=result.copied,
                put_back=result.put_back,
                left=result.left,
            )
        )
    return trouble


async def set_up_or_pause(
    run: Run, execution: Execution, at: Assignment, attempt: AttemptFacts, agent: Agent
) -> SetupTrouble | None:
    """`set_up`, where a failure that is not the work package's own doing pauses it; raises `Stop` then."""
    trouble = await set_up(run, execution, at, attempt, agent)
    if trouble is None or trouble.own:
        return trouble
    raise Stop(paused(f"{trouble.text}\n{trouble.output}".rstrip()))


async def prepare(run: Run, execution: Execution, wp: str, order: Order) -> AttemptFacts:
    """Have the workspace set up for the next attempt of `order`'s role, whose facts are returned.

    Raises `Stop` where it can't be, unless the work package's own changes are the cause: the implementer is
    to put that right then, and the reviewer to see it.
    """
    attempt = facts(run, wp, order, next_number(run, wp, order.role))
    trouble = await set_up_or_pause(run, execution, order.at, attempt, run.profile.agents[order.agent])
    if trouble is not None:
        run.notice(f"{trouble.text}. The work package's own changes are the cause: it continues", wp)
    return attempt


async def tear_down(
    run: Run, execution: Execution, at: Assignment, attempt: AttemptFacts, agent: Agent
) -> None:
    """Run what ends the prepared workspace; where that fails, only that is said."""
    config = run.profile.workspace
    if not config.teardown or not config.wanted(attempt.role) or at.workspace.path == run.repo.resolve():
        return
    before = await at.workspace.snapshot()
    spec = setup_spec(run, at, before, attempt, agent)
    with recorded(run.journal, attempt.wp, spec.marker) as started:
        record = _SetupRecord(run, spec, at.workspace.path, "teardown", not before.dirty, started)
        result = await execution.executor.tear_down(spec, record)
    if result.refused:
        run.notice(result.refused, attempt.wp)


class _SetupRecord:
    """The commands in the journal: each one's start, its process and its end."""

    def __init__(  # noqa: PLR0913, PLR0917 - what the events say
        self, run: Run, spec: SetupSpec, path: Path, phase: SetupPhase, clean: bool, on_started: OnStarted
    ) -> None:
        self._run = run
        self._spec = spec
        self._path = path
        self._phase: SetupPhase = phase
        self._clean = clean
        self._on_started = on_started

    async def begun(self, step: SetupStep, log: Path) -> None:
        """See `SetupObserver.begun`."""
        attempt = self._spec.attempt
        self._run.journal.write(
            SetupStarted(
                attempt.wp,
                name=step.name,
                phase=self._phase,
                role=attempt.role,
                argv=step.command,
                log=log,
                path=self._path,
                clean=self._clean,
            )
        )

    async def started(self, process: Started) -> None:
        """See `SetupObserver.started`."""
        await self._on_started(process)

    async def denied(self, denial: Denial) -> None:
        """See `SetupObserver.denied`."""
        write_denial(self._run.journal, self._spec.attempt.wp, self._spec.marker, denial)

    async def ended(self, step: CheckResult) -> None:
        """See `SetupObserver.ended`."""
        self._run.journal.write(
            SetupEnded(
                self._spec.attempt.wp,
                name=step.name,
                phase=self._phase,
                passed=step.passed,
                ending=step.ending,
                status=step.status,
                seconds=round(step.seconds, 3),
                log=step.log,
            )
        )


async def _trouble(run: Run, at: Assignment, result: SetupResult) -> SetupTrouble | None:
    failed = result.failed
    if failed is None and result.refused is None:
        return None
    own = failed is not None and await _own(run, at)
    if failed is None:
        return SetupTrouble(f"the workspace {at.workspace.path} can't be set up: {result.refused}", "", own)
    how = f"exit status {failed.status}" if failed.ending == "exit" else failed.ending
    what = f"the setup `{failed.name}` of the workspace {at.workspace.path} failed: {how}"
    return SetupTrouble(f"{what}. Its log is {failed.log}", "\n".join(failed.tail.split("\n")[-LINES:]), own)


async def _own(run: Run, at: Assignment) -> bool:
    """Whether the work package itself changed what a setup depends on."""
    changed = (await at.workspace.left(await at.workspace.snapshot_committed(at.base), at.base)).changed
    inputs = [pattern for step in run.profile.workspace.setup for pattern in step.inputs]
    return any(
        fnmatchcase(path, pattern) or path.startswith(f"{pattern.rstrip('/')}/")
        for path in changed
        for pattern in inputs
    )
