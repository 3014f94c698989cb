"""The executor that runs attempts and checks as processes of this machine, in the workspaces themselves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from tempfile import gettempdir

from kitty_run.agents.launch import environment
from kitty_run.agents.model import CheckResult, Exit, OnDenied, OnStarted, Started
from kitty_run.agents.results.outcome import classify
from kitty_run.agents.results.time_zones import LOCAL
from kitty_run.agents.results.verdict import content
from kitty_run.awake import Awake
from kitty_run.execution import processes
from kitty_run.execution.checks import run_checks
from kitty_run.execution.egress.allowed_hosts import Resolve, system_resolve
from kitty_run.execution.logs import end_record
from kitty_run.execution.preparation import prepare, workspace_path
from kitty_run.execution.processes import LocalProcesses, ProcessRunner
from kitty_run.execution.protocol import AttemptObserver, AttemptResult, AttemptSpec, CheckSpec, Site
from kitty_run.execution.sandbox import bubblewrap
from kitty_run.execution.sandbox.confine import needed, unheld_resources
from kitty_run.execution.sandbox.for_checks import CheckSandbox
from kitty_run.execution.sandbox.way_out import way_out
from kitty_run.execution.setup import copies
from kitty_run.execution.setup.workspace_setup import WorkspaceSetup
from kitty_run.execution.setup.worktree import GitWorktree, SetupWorktree
from kitty_run.execution.strays import markers_at_work, others_in
from kitty_run.execution.workspace_protocol import SetupObserver, SetupResult, SetupSpec
from kitty_run.machine import MachineFault, full
from kitty_run.profile.model import Agent, Policy
from kitty_run.profile.workspace import WorkspaceConfig

_MARKER = re.compile(r"[\w.-]+/[\w-]+/[\w-]+")


class LocalExecutor:
    """See `Executor`. It works in the workspace itself: it brings no commit, the engine commits there."""

    def __init__(
        self,
        site: Site,
        runner: ProcessRunner | None = None,
        resolve: Resolve = system_resolve,
        worktree: Callable[[Path, Path], SetupWorktree] = GitWorktree,
    ) -> None:
        self._site = site
        self._resolve = resolve
        self._processes = runner or LocalProcesses()
        self._awake = Awake(site.environment)
        self._worktree = worktree
        self._runs = frozenset[str]()

    async def unfit(self, agents: Sequence[Agent], policy: Policy) -> str | None:
        """Whether this machine has the sandbox that the policy of `agents` needs."""
        needing = [agent.name for agent in agents if needed(agent, policy)]
        for agent in agents:
            if (unheld := unheld_resources(agent, policy)) is not None:
                return f"agent {agent.name}: {unheld}"
        if not needing or (reason := await asyncio.to_thread(bubblewrap.unavailable)) is None:
            return None
        return f"the policy of {', '.join(sorted(needing))} is kept by `sandbox: bubblewrap`, but {reason}"

    async def attempt(self, spec: AttemptSpec, observer: AttemptObserver) -> AttemptResult:
        """Run one attempt to its end, and end whatever it left behind."""
        allow = (*spec.allow, *spec.agent.network.hosts)
        async with way_out(spec.agent, spec.policy, allow, self._resolve, observer.denied) as out:
            ready = prepare(spec, self._site, out)
            await observer.prepared(ready.prepared)
            with self._awake.held():
                ended = await self._processes.run(ready.launch, observer.started)
        now = self._site.now().astimezone(LOCAL)
        outcome = await asyncio.to_thread(classify, spec.agent, ended, now, ready.launch.env)
        file = ready.verdict_file
        return AttemptResult(outcome, None if file is None else await asyncio.to_thread(content, file))

    async def check(
        self, spec: CheckSpec, on_started: OnStarted, on_denied: OnDenied
    ) -> tuple[CheckResult, ...]:
        """Run the checks in the workspace, on the files that are in it."""
        facts, files = spec.attempt, self._site.files(spec.attempt.run_id)
        workspace = workspace_path(self._site, spec.workspace.name)
        own = environment.runner_variables(facts.located(workspace), str(files.prompt(facts.wp, facts.name)))
        with self._awake.held():
            return await run_checks(
                spec.checks,
                self._processes,
                CheckSandbox(spec.agent, spec.policy, spec.allow, workspace, self._resolve, on_denied),
                workspace=workspace,
                logs_dir=files.log(facts.wp, "check").parent,
                marker=spec.marker,
                on_started=on_started,
                own=own,
                source=self._site.environment,
                log_limit=spec.log_limit,
            )

    async def lacking(self, config: WorkspaceConfig) -> str | None:
        """What the root checkout of this machine lacks."""
        problems = await asyncio.to_thread(copies.problems, self._site.repo, config.copy)
        return "; ".join(problems) or None

    async def set_up(self, spec: SetupSpec, observer: SetupObserver) -> SetupResult:
        """Prepare the workspace itself."""
        with self._awake.held():
            return await self._setup(spec).set_up(observer)

    async def tear_down(self, spec: SetupSpec, observer: SetupObserver) -> SetupResult:
        """Run what ends a prepared workspace, in the workspace itself."""
        return await self._setup(spec).tear_down(observer)

    def _setup(self, spec: SetupSpec) -> WorkspaceSetup:
        path = workspace_path(self._site, spec.workspace.name)
        worktree = self._worktree(path, self._site.repo)
        return WorkspaceSetup(spec, self._site, self._processes, self._resolve, path, worktree)

    async def fault(self, run: str, wp: str, workspace: str) -> MachineFault | None:
        """What writing shows: in the logs, the workspace and the directory of temporary files."""
        files, temporary = self._site.files(run), self._site.environment.get("TMPDIR", gettempdir())
        try:
            folders = files.log(wp, "check").parent, workspace_path(self._site, workspace), Path(temporary)
        except MachineFault as fault:
            return fault
        return await asyncio.to_thread(full, *folders)

    async def leftovers(self, runs: frozenset[str]) -> tuple[str, ...]:
        """The markers of live processes of this machine, by their environment."""
        self._runs = runs
        return await asyncio.to_thread(markers_at_work, self._site.repo, runs)

    async def end_leftovers(
        self, markers: Collection[str], started: Sequence[Started], workspaces: Collection[str]
    ) -> int:
        """End processes of this machine. Attempts that are still at work count as cut off from now on."""
        for record in await asyncio.to_thread(self._at_work, frozenset(markers)):
            end_record.cut_off(record)
        places = [workspace_path(self._site, name) for name in workspaces]
        return await processes.end_leftovers(started, markers, places=places)

    def _at_work(self, markers: frozenset[str]) -> tuple[Path, ...]:
        """The records of those of `markers` that are alive, and of runs that are known here."""
        alive = markers.intersection(markers_at_work(self._site.repo, self._runs))
        parts = [marker.split("/") for marker in alive if _MARKER.fullmatch(marker)]
        known = [part for part in parts if part[0] in self._runs]
        return tuple(end_record.path_beside(self._site.files(run).log(wp, name)) for run, wp, name in known)

    async def finished(self, spec: AttemptSpec) -> AttemptResult | None:
        """By what the attempt's supervisor left."""
        facts = spec.attempt
        log = self._site.files(facts.run_id).log(facts.wp, facts.name)
        found = await asyncio.to_thread(end_record.read, end_record.path_beside(log))
        if found is None:
            return None
        status, seconds = found
        ended = Exit("exit", status, None, seconds, log, log.with_suffix(".stderr.log"))
        now = self._site.now().astimezone(LOCAL)
        return AttemptResult(
            await asyncio.to_thread(
                classify,
                spec.agent,
                ended,
                now,
                environment.environment(spec.agent.env, {}, {}, self._site.environment),
            )
        )

    async def others_in(self, workspace: str) -> tuple[str, ...]:
        """By the working directories and open files of this machine's processes."""
        return await asyncio.to_thread(others_in, workspace_path(self._site, workspace))

    async def close(self) -> None:
        """Every attempt's processes ended with its call; whatever keeps the machine awake ends now."""
        await self._awake.close()
