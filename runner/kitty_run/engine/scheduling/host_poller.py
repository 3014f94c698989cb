"""A slow look at what other actors do on the host, while a run has work of its own in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.host_calls import HostCalls, RunAborted
from kitty_run.engine.shutdown import End, Stop
from kitty_run.engine.state.end_codes import Result
from kitty_run.host.model import Lane


class HostPoller:
    """Sees what others did with the work packages that they hold, and which blocked ones a person freed.

    `ends` are the run's ends so far.
    """

    def __init__(self, run: Run, calls: HostCalls, ends: Mapping[str, End]) -> None:
        self._run = run
        self._calls = calls
        self._ends = ends
        self._left: dict[str, Lane] = {}

    async def look(self) -> list[str]:
        """Wait for `host.poll`, read the mission again, and return the work packages to be taken up again.

        Of what others held those come back that they finished, dropped or gave back; of the blocked ones
        all that are no longer blocked.
        """
        await asyncio.sleep(self._run.profile.host.poll)
        awaited = self.awaited()
        if awaited and await self._read():
            return [wp for wp in awaited if self._is_free(wp)]
        return []

    def left(self, wp: str) -> None:
        """Remember in which lane the run left `wp`."""
        self._left[wp] = self._run.board.lanes[wp]

    def awaited(self) -> list[str]:
        """Work packages that others hold, or may free."""
        lanes = self._run.board.lanes
        return [
            wp
            for wp, end in self._ends.items()
            if end.result in {Result.SKIPPED, Result.BLOCKED} and lanes.get(wp) is not Lane.CANCELED
        ]

    async def _read(self) -> bool:
        """Read the state; a failure is reported and decides nothing: the run's own calls find out in time."""
        try:
            await self._calls.state()
        except Stop:
            return False
        except RunAborted as error:
            self._run.notice(f"no look at what others do this time: {error}")
            return False
        return True

    def _is_free(self, wp: str) -> bool:
        was, now = self._left[wp], self._run.board.lanes.get(wp)
        if now is None or now is was:
            return False
        self._left[wp] = now
        return now.settled or was is Lane.BLOCKED
