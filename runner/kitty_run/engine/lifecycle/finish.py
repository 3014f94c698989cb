"""The mission's end: accept, merge, and the proof by git that the merged code is there."""

from __future__ import annotations

from kitty_run.engine.context import Git, Run
from kitty_run.engine.lifecycle.approvals import Approvals
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.lifecycle.mission.accept import Acceptance
from kitty_run.engine.lifecycle.mission.branch_watch import BranchWatch
from kitty_run.engine.lifecycle.mission.merge import MissionMerge
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.host.model import Lane


class Finish:
    """Accepts and merges one mission, as far as the profile says."""

    def __init__(
        self, run: Run, calls: HostCalls, git: Git, approvals: Approvals, watch: BranchWatch
    ) -> None:
        self._run = run
        self._calls = calls
        self._acceptance = Acceptance(run, calls, git, approvals)
        self._merge = MissionMerge(run, calls, git, approvals, watch)

    async def run(self) -> None:
        """Finish the mission. Raises `Unfinished`, `Stop` (a gate waits), `RunAborted` or `WorkspaceError`.

        No host makes accept, or even `done`, a precondition of its merge, so it is checked here.
        """
        await self._check_lanes()
        plan = self._run.profile.finish
        accepted = not plan.accept or self._run.memory.accepted or await self._acceptance.accept()
        if plan.merge is not None:
            await self._merge.merge(plan.merge)
            await self._merge.clean_up(plan.merge)
        if not accepted and not await self._acceptance.accept(again=True):
            raise Unfinished(
                "the host crashed at accept both before and after the merge; the code is merged, the mission "
                "is not accepted. Accept it by hand when the host works again."
            )

    async def _check_lanes(self) -> None:
        state = await self._calls.state()
        if all(wp.lane is Lane.CANCELED for wp in state.work_packages):
            raise Unfinished("every work package is canceled: there is nothing to accept or to merge")
        finished = self._calls.host.traits.finished
        rest = [wp for wp in state.work_packages if wp.lane not in finished]
        if left := [f"{wp.id} ({wp.lane})" for wp in rest if wp.lane is not Lane.CANCELED]:
            raise Unfinished(f"the host does not have every work package finished: {', '.join(left)}")
        if rest and self._run.profile.finish.accept and not self._run.memory.accepted:
            canceled = ", ".join(wp.id for wp in rest)
            raise Unfinished(
                f"the host accepts no mission with canceled work packages ({canceled}). "
                "To merge the others without: `finish: {accept: false}` in the profile, then run again"
            )
        moved = [wp.id for wp in state.work_packages if self._run.remember(wp.id).moved is not None]
        if moved:
            raise Unfinished(
                f"others moved {', '.join(moved)} on the host during an attempt of this run, and nobody "
                "reviewed what is there: run again to have it reviewed"
            )
