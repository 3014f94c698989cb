"""Claiming a work package, and its desk space: workspace, task text, and the commit it starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kitty_run.agents.launch.task import Task, read_task
from kitty_run.engine.context import Execution, Git, Run
from kitty_run.engine.decisions.reviewer_independence import RoleAgents
from kitty_run.engine.lifecycle.host_calls import CallGivenUp, HostCalls
from kitty_run.engine.lifecycle.outcomes import Claimed, Stopped
from kitty_run.engine.lifecycle.rework import begin_rework, is_rejected
from kitty_run.engine.lifecycle.state_machine import ClaimOutcome
from kitty_run.engine.others_at_work import wait_for_others
from kitty_run.engine.scheduling.workspace_leases import WorkspaceLeases, holds, reason
from kitty_run.engine.shutdown import End, Stop
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.events import WorkSaved, WorkspaceAllocated, WorkspaceAwaited, WorkspaceRepaired
from kitty_run.errors import KittyRunError
from kitty_run.git.protocols import WorkspacePort
from kitty_run.host.model import Allocation, HostRefused, Lane

START = "work-start"
"""Name of a ref: where the runner's own worktree for all work packages began."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """All that working on a WP needs: its lane, its task, and the commit its own work starts from."""

    allocation: Allocation
    workspace: WorkspacePort
    task: Task
    base: str


class NoWorkspace(KittyRunError):
    """A work package has no workspace to be worked on in."""


class Claim:
    """Claims one work package and finds or makes its workspace."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a claim has to do with
        self, run: Run, calls: HostCalls, git: Git, execution: Execution, leases: WorkspaceLeases, wp: str
    ) -> None:
        self._run = run
        self._execution = execution
        self._calls = calls
        self._git = git
        self._leases = leases
        self._wp = wp
        self._assignment: Assignment | None = None

    def family(self) -> str:
        """The family of the agent that implements the WP now."""
        return RoleAgents(self._run.profile, self._run.remember(self._wp), "implement").family()

    async def claim(self) -> ClaimOutcome:
        """start-implementation, and a workspace on the right branch with the dependencies' code in it."""
        self._run.control.checkpoint()
        if (known := self._run.remember(self._wp).workspace) is not None:
            await wait_for_others(self._run, self._execution, self._wp, known)
        before = self._run.board.lanes[self._wp]
        await self._keep_out(claimed=False)
        policy = self._run.profile.policy.payload(self.family())
        if self._calls.host.traits.reserves and before is Lane.PLANNED:
            await self._calls.call(
                "reserve", self._wp, Lane.CLAIMED, lambda: self._calls.host.reserve(self._wp)
            )
        allocation = await self._calls.call("claim", self._wp, None, lambda: self._claim(policy, before))
        if allocation is None:  # only with a target lane can a lost call count as made
            return Stopped(End(EndCode.NO_WORKSPACE, "start-implementation gave no workspace"))
        self._run.moved(self._wp, Lane.IN_PROGRESS)
        if await self._repair(allocation) and not self._runner_makes():
            # It creates what was removed again, and merges dependencies into what was whole only now.
            again = await self._calls.call("claim", self._wp, None, lambda: self._claim(policy, before))
            allocation = again or allocation
            await self._repair(allocation)
        assignment = await self._settle(allocation, fresh=before is Lane.PLANNED)
        if before is Lane.IN_PROGRESS and is_rejected(self._run.remember(self._wp)):
            begin_rework(self._run, self._wp)
        await self._discard_cut_off(assignment.workspace)
        head = await assignment.workspace.head()
        dirty = await assignment.workspace.dirty()
        return Claimed(ready=self._run.remember(self._wp).ready == head and not dirty)

    async def _claim(self, policy: dict[str, object], before: Lane) -> Allocation:
        """Claim; where a host refuses since its worktree is dirty or half made, see to that first.

        Hosts refuse so (3.2.7: LANE_ALLOCATION_FAILED) only for the actor who holds the WP: a foreign
        claim is refused before the worktree is looked at, so that nobody else's work is touched here.
        """
        try:
            return await self._calls.host.claim(self._wp, policy)
        except HostRefused as refused:
            if refused.code != "LANE_ALLOCATION_FAILED" or not await self._make_usable(before):
                raise
            return await self._calls.host.claim(self._wp, policy)

    async def _make_usable(self, before: Lane) -> bool:
        """Whether the worktree that a host refused could be made whole, or its leftovers be saved."""
        allocation = await self._calls.host.locate(self._wp)
        repaired = await self._repair(allocation)
        if before is not Lane.IN_PROGRESS or not allocation.workspace.is_dir():
            return repaired
        workspace = self._git.workspace(allocation.workspace, self._wp)
        if await self._discard_cut_off(workspace):
            return True
        return await self._commit(workspace, "work left by an interrupted attempt") or repaired

    async def _discard_cut_off(self, workspace: WorkspacePort) -> bool:
        """Discard what checks or a setup that were cut off left, for it is no work; whether there was any."""
        memory = self._run.remember(self._wp)
        checking, setting_up = memory.checking, memory.setting_up
        of_checks = checking is not None and checking.commit == await workspace.head()
        of_setup = setting_up is not None and setting_up.clean and setting_up.path == workspace.path
        if not (of_checks or of_setup) or not await workspace.dirty():
            return False
        why = "left by checks that were cut off" if of_checks else "left by a setup that was cut off"
        await workspace.discard(await workspace.snapshot_committed(), why)
        return True

    async def _repair(self, allocation: Allocation) -> bool:
        """Have the workspace hold every file of its commit before anything is measured or committed there.

        Returns whether it did not. Ends where another work package works there: nothing is touched then.
        """
        await self._lease(allocation)
        await wait_for_others(self._run, self._execution, self._wp, allocation.workspace)
        untouched = self._run.remember(self._wp).untouched()
        repair = await self._git.workspace(allocation.workspace, self._wp).make_whole(untouched=untouched)
        if repair is None:
            return False
        self._run.journal.write(
            WorkspaceRepaired(
                self._wp,
                path=allocation.workspace,
                why=repair.why,
                restored=len(repair.restored),
                files=tuple(repair.restored[:20]),
                removed=repair.removed,
                ref=repair.kept.ref if repair.kept else None,
                commit=repair.kept.commit if repair.kept else None,
            )
        )
        return True

    async def assignment(self) -> Assignment:
        """The WP's assignment, located without a claim where a run continues past the claim."""
        if self._assignment is None:
            allocation = await self._calls.locate(self._wp)
            await self._repair(allocation)
            await self._settle(allocation, fresh=False)
        if self._assignment is None:
            raise NoWorkspace("it has no workspace")
        return self._assignment

    async def save(self, why: str) -> None:
        """Commit whatever the workspace holds uncommitted: hosts remove dirty worktrees without a word."""
        if self._assignment is not None:
            await self._commit(self._assignment.workspace, why)

    async def _commit(self, workspace: WorkspacePort, why: str) -> bool:
        if not await workspace.dirty():
            return False
        await workspace.undo_forbidden(await workspace.snapshot_committed())
        sha = await workspace.commit(f"chore({self._wp}): {why}")
        self._run.journal.write(WorkSaved(self._wp, commit=sha, why=why))
        return sha is not None

    async def _settle(self, allocation: Allocation, *, fresh: bool) -> Assignment:
        await self._lease(allocation)
        workspace = self._git.workspace(allocation.workspace, self._wp)
        if self._runner_makes():
            await self._make(allocation, workspace)
        elif not allocation.workspace.is_dir():
            raise NoWorkspace(f"the host named the workspace {allocation.workspace}, but it is not there")
        elif allocation.branch is not None:
            await workspace.ensure_branch(allocation.branch)
        base = await self._base(allocation, workspace, fresh)
        assignment = Assignment(allocation, workspace, read_task(allocation.prompt, self._wp), base)
        self._assignment = assignment
        return assignment

    async def _lease(self, allocation: Allocation) -> None:
        """Hold the workspace that the host gave, or wait without touching it where another works there."""
        self._leases.locate(self._wp, allocation.workspace)
        await self._keep_out(claimed=True)

    async def _keep_out(self, *, claimed: bool) -> None:
        """Wait where another work package holds the workspace, one that nobody works on now too."""
        lanes, active = self._run.board.lanes, {self._wp, *self._leases.active}
        if idle := [wp for wp, lane in lanes.items() if wp not in active and holds(lane)]:
            await self._find([*idle, self._wp])
        holder = self._run.holder(self._wp, self._leases)
        if holder is None:
            return
        self._leases.active.discard(self._wp)
        self._run.journal.write(WorkspaceAwaited(self._wp, holder=holder, claimed=claimed))
        raise Stop(End(EndCode.WORKSPACE, reason(self._wp, holder)))

    async def _find(self, wps: Sequence[str]) -> None:
        """Ask the host for the workspaces of `wps` that neither its plan nor the journal has named."""
        for wp in wps:
            if self._leases.is_known(wp, self._run.memory.work_packages):
                continue
            try:
                self._leases.locate(wp, (await self._calls.locate(wp)).workspace)
            except CallGivenUp as given_up:
                self._run.notice(f"the host can't say where it is worked on: {given_up}", wp)

    def _runner_makes(self) -> bool:
        host = self._calls.host
        return host.traits.workspaces == "runner" or host.topology.own_worktree is not None

    async def _make(self, allocation: Allocation, workspace: WorkspacePort) -> None:
        """A worktree of the runner's own: from the branches of the WP's dependencies, or from the target."""
        if allocation.branch is None:
            raise NoWorkspace("the host's dialect names no branch for the workspace")
        branches = []
        if self._calls.host.topology.own_worktree is not None:
            target = allocation.base or await self._git.repository.current_branch() or "HEAD"
            begun = self._run.remember(self._wp).base is not None
            known, mission = await self._git.repository.resolve(allocation.branch), self._run.board.mission
            async with self._calls.host.quiet():
                await workspace.ensure(allocation.branch, target, () if begun else (target,))
                if known is None:
                    await self._git.repository.keep(mission, START, await workspace.head())
            return
        for dependency in self._run.board.work_packages[self._wp].dependencies:
            branch = (await self._calls.locate(dependency)).branch
            if branch is not None and await self._git.repository.resolve(branch) is not None:
                branches.append(branch)
        start = branches[0] if branches else await self._git.repository.current_branch() or "HEAD"
        async with self._calls.host.quiet():
            await workspace.ensure(allocation.branch, start, branches[1:])

    async def _base(self, allocation: Allocation, workspace: WorkspacePort, fresh: bool) -> str:
        """The commit the WP's own work is measured from: the head right after the first allocation.

        Without the journal's memory of it, where a canceled one worked there before, and where it starts with
        commits that nobody reviewed: the last reviewed commit there, else where the workspace's branch left
        the host's base ref. What nobody reviewed yet is reviewed with this one then.
        """
        remembered = self._run.remember(self._wp).base
        if remembered is not None:
            return remembered
        first = fresh or self._run.remember(self._wp).awaits
        if not first:
            await self._find(list(self._run.board.lanes))
        mates = self._leases.mates(self._wp, self._run.board.lanes, self._run.memory.work_packages)
        ref = allocation.base or await self._git.repository.current_branch() or "HEAD"
        sound = first and all(self._run.board.lanes[mate] is not Lane.CANCELED for mate in mates)
        if sound and not await self._starts_unreviewed(allocation, ref):
            base = await workspace.head()
        else:
            base = await workspace.fork_point(await self._start(mates) or ref, self._reviewed(mates))
        self._run.journal.write(
            WorkspaceAllocated(self._wp, base=base, path=allocation.workspace, branch=allocation.branch)
        )
        return base

    async def _start(self, mates: Sequence[str]) -> str | None:
        """Where the worktree of all began, if work is brought onto the host's base ref before its review."""
        if self._calls.host.topology.own_worktree is None:
            return None
        run = self._run
        known = (run.remember(wp).base or run.earlier.of(wp).base for wp in mates)
        kept = await self._git.repository.kept(run.board.mission)  # without journals there is nothing better
        return next((base for base in known if base), kept.get(START))

    async def _starts_unreviewed(self, allocation: Allocation, ref: str) -> bool:
        """Whether its branch starts with commits that nobody reviewed, of a dependency that moved, say.

        As a base they would pass for reviewed: no reviewer would see them, here or later.
        """
        if allocation.branch is None:
            return False
        start = await self._git.repository.resolve(ref)
        known = [*self._run.reviewed(), *([start] if start else [])]
        standing = await self._git.repository.standing(allocation.branch, (), known)
        if standing is None or not standing.foreign:
            return False
        named = "; ".join(map(str, standing.foreign))
        self._run.notice(
            f"starts with commits that nobody reviewed, its review includes them: {named}", self._wp
        )
        return True

    def _reviewed(self, mates: Sequence[str]) -> list[str]:
        """The reviewed commits of those of `mates` that are finished."""
        finished = self._calls.host.traits.finished - {Lane.CANCELED}
        found = [self._run.reviewed_head(wp) for wp in mates if self._run.board.lanes[wp] in finished]
        return [commit for commit in found if commit]
