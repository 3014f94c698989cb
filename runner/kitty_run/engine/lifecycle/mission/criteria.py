"""The mission's acceptance criteria: settled with the host from evidence, never for all alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from kitty_run.agents.launch.task import TaskError, read_task
from kitty_run.engine.context import Run
from kitty_run.engine.decisions.acceptance import Evidence, Proof, weigh
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.state.events import CriterionSettled
from kitty_run.host.model import Lane
from kitty_run.profile.retry_verbs import Again


class Criteria:
    """Settles the criteria of one mission."""

    def __init__(self, run: Run, calls: HostCalls) -> None:
        self._run = run
        self._calls = calls

    def evidence(self) -> tuple[Evidence, ...]:
        """What there is for each criterion that nobody has settled."""
        criteria, proof = self._calls.host.criteria(), Proof.of(self._run.profile)
        if unknown := proof.unknown(criteria):
            self._run.notice(f"checks name acceptance criteria that the mission lacks: {', '.join(unknown)}")
        return weigh(criteria, self._wanted(), self._run.memory.work_packages, proof) if criteria else ()

    async def settle(self, evidence: Sequence[Evidence], person: str = "") -> None:
        """Report each criterion that there is evidence for to the host; `person` has seen and approved it.

        Raises `CallGivenUp` and `Stop`.
        """
        for one in evidence:
            if not one.text:
                continue
            text = f"approved by {person}; {one.text}" if person else one.text
            call = partial(self._calls.host.settle, one.criterion.id, "pass", text)
            await self._calls.for_mission("settle", tuple(Again), call)
            self._run.journal.write(CriterionSettled(one.criterion.id, "pass", text))

    def _wanted(self) -> Mapping[str, Collection[str]]:
        """The criteria that each work package is to meet, as its prompt file says."""
        found = {}
        for wp, lane in self._run.board.lanes.items():
            path = None if lane is Lane.CANCELED else self._calls.host.prompt_file(wp)
            try:
                found[wp] = read_task(path, wp).requirements if path else ()
            except TaskError as error:
                self._run.notice(str(error), wp)
        return found


def listed(evidence: Sequence[Evidence]) -> str:
    """What a person is shown at the gate: each criterion, and what there is for it."""
    rows = [
        f"  {one.criterion.id}: {one.criterion.text}\n    {one.text or 'no evidence: it stays open'}"
        for one in evidence
    ]
    return "\n".join(["acceptance criteria, and what shows that they are met:", *rows]) if rows else ""
