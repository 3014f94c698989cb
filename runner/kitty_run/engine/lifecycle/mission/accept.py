"""The host's acceptance of a mission, repeated as the retry table says."""

from __future__ import annotations

from kitty_run.engine.context import Git, Run
from kitty_run.engine.lifecycle.approvals import Approvals
from kitty_run.engine.lifecycle.host_calls import CallGivenUp, HostCalls
from kitty_run.engine.lifecycle.mission.criteria import Criteria, listed
from kitty_run.engine.lifecycle.mission.host_records import commit_status
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.engine.state.events import AcceptancePutOff, MissionAccepted
from kitty_run.host.model import HostRefused
from kitty_run.profile.retry_verbs import Again


class Acceptance:
    """Has the host accept one mission."""

    def __init__(self, run: Run, calls: HostCalls, git: Git, approvals: Approvals) -> None:
        self._run = run
        self._calls = calls
        self._git = git
        self._criteria = Criteria(run, calls)
        self._approvals = approvals

    async def accept(self, *, again: bool = False) -> bool:
        """Whether the mission is accepted; False where the host crashed and its topology is known for it."""
        evidence = self._criteria.evidence()
        by_person = bool(evidence) and self._run.profile.finish.acceptance == "person"
        answer = await self._approvals.pass_or_stop("accept", listed(evidence), always=by_person)
        await self._commit_status()

        async def once() -> bool:
            try:
                await self._calls.host.accept()
            except HostRefused as refused:
                if not self._put_off(refused, again):
                    raise
                if again:
                    self._run.notice(f"the host crashed at accept after the merge, too ({refused})")
                else:
                    self._run.journal.write(AcceptancePutOff(str(refused)))
                return False
            return True

        try:
            await self._criteria.settle(evidence, answer.by if by_person and answer.given else "")
            accepted = await self._calls.for_mission("accept", tuple(Again), once)
        except CallGivenUp as given_up:
            if by_person:  # what was approved was this list of evidence, and no later one
                self._approvals.forget("accept")
            reason = f"the host did not accept the mission: {given_up}"
            raise Unfinished(reason, given_up.exit_status) from given_up.refused
        if accepted:
            await self._commit_status()
            self._run.journal.write(MissionAccepted())
        return accepted

    async def _commit_status(self) -> None:
        """Commit the host's records around the acceptance, on hosts that want them so."""
        if not self._calls.host.traits.commits_acceptance:
            await commit_status(self._run, self._calls, self._git.repository, "accept")

    def _put_off(self, refused: HostRefused, again: bool) -> bool:
        around = self._calls.host.topology.accept == "around"
        return refused.lost and around and (again or self._run.profile.finish.merge is not None)
