"""The host's acceptance of a mission, repeated as the retry table says."""

from __future__ import annotations

from kitty_run.engine.context import Services
from kitty_run.engine.decisions.retry import decide, row_for
from kitty_run.engine.lifecycle.approvals import Gates
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.engine.state.events import CallStarted, MissionAccepted
from kitty_run.host.model import HostRefused
from kitty_run.profile.retry_verbs import verb


class Accepting:
    """Has the host accept one mission."""

    def __init__(self, services: Services, gates: Gates) -> None:
        self._s = services
        self._gates = gates

    async def accept(self, *, again: bool = False) -> bool:
        """Whether the mission is accepted; False where the host crashed and its topology is known for it."""
        await self._gates.pass_or_end("accept")
        repeats = 0
        while True:
            try:
                self._s.journal.write(CallStarted("accept"))
                await self._s.host.accept()
            except HostRefused as refused:
                if self._put_off(refused, again):
                    self._s.notice(f"the host crashed at accept ({refused}); tried again after the merge")
                    return False
                repeats = await self._repeat(refused, repeats)
                continue
            self._s.journal.write(MissionAccepted())
            return True

    def _put_off(self, refused: HostRefused, again: bool) -> bool:
        around = self._s.host.topology.accept == "around"
        return refused.lost and around and (again or self._s.profile.finish.merge is not None)

    async def _repeat(self, refused: HostRefused, repeats: int) -> int:
        """Wait as the table says, and return how often it was repeated; raises `Unfinished`."""
        row = row_for(self._s.profile.retry.host, refused.code)
        decision = decide(row, repeats, spread=self._s.random.uniform(-1, 1))
        if not verb(decision.action).repeats:
            raise Unfinished(f"the host did not accept the mission: {refused}") from refused
        self._s.notice(f"accept: {refused}; tried again")
        await self._s.control.pause(decision.wait)
        return decision.repeat
