"""Attempts and checks, while what git obeys in the repository is kept as it was."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kitty_run.agents.model import CheckResult, OnDenied, OnStarted, Started
from kitty_run.execution.protocol import AttemptObserver, AttemptResult, AttemptSpec, CheckSpec, Executor
from kitty_run.execution.workspace_protocol import SetupObserver, SetupResult, SetupSpec
from kitty_run.git.guard.guard import Guard
from kitty_run.machine import MachineFault
from kitty_run.profile.model import Agent, Policy
from kitty_run.profile.workspace import WorkspaceConfig


class GuardedExecutor:
    """Works as `executor` does; when an attempt or a check has ended, git's settings are as they were.

    See `Executor`. `attempt` and `check` raise `WorkspaceError` where something can't be put back.
    """

    def __init__(self, executor: Executor, guard: Guard) -> None:
        self._executor = executor
        self._guard = guard

    async def unfit(self, agents: Sequence[Agent], policy: Policy) -> str | None:
        """See `Executor.unfit`."""
        return await self._executor.unfit(agents, policy)

    async def attempt(self, spec: AttemptSpec, observer: AttemptObserver) -> AttemptResult:
        """See `Executor.attempt`."""
        async with self._guard.watching(spec.marker):
            return await self._executor.attempt(spec, observer)

    async def check(
        self, spec: CheckSpec, on_started: OnStarted, on_denied: OnDenied
    ) -> tuple[CheckResult, ...]:
        """See `Executor.check`."""
        async with self._guard.watching(spec.marker):
            return await self._executor.check(spec, on_started, on_denied)

    async def lacking(self, config: WorkspaceConfig) -> str | None:
        """See `Executor.lacking`."""
        return await self._executor.lacking(config)

    async def set_up(self, spec: SetupSpec, observer: SetupObserver) -> SetupResult:
        """See `Executor.set_up`; what it copies to, and leaves in the workspace itself is hidden from git."""
        async with self._guard.watching(spec.marker):
            result = await self._executor.set_up(spec, observer)
        if result.here:
            await self._guard.hide((*spec.config.copy, *result.left))
        return result

    async def tear_down(self, spec: SetupSpec, observer: SetupObserver) -> SetupResult:
        """See `Executor.tear_down`."""
        async with self._guard.watching(spec.marker):
            return await self._executor.tear_down(spec, observer)

    async def fault(self, run: str, wp: str, workspace: str) -> MachineFault | None:
        """See `Executor.fault`."""
        return await self._executor.fault(run, wp, workspace)

    async def leftovers(self, runs: frozenset[str]) -> tuple[str, ...]:
        """See `Executor.leftovers`."""
        return await self._executor.leftovers(runs)

    async def end_leftovers(
        self, markers: Collection[str], started: Sequence[Started], workspaces: Collection[str]
    ) -> int:
        """See `Executor.end_leftovers`."""
        return await self._executor.end_leftovers(markers, started, workspaces)

    async def finished(self, spec: AttemptSpec) -> AttemptResult | None:
        """See `Executor.finished`."""
        return await self._executor.finished(spec)

    async def others_in(self, workspace: str) -> tuple[str, ...]:
        """See `Executor.others_in`."""
        return await self._executor.others_in(workspace)

    async def close(self) -> None:
        """See `Executor.close`."""
        await self._executor.close()
