"""The scheduler: starts work packages as their dependencies allow, and gathers their ends."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence

from kitty_run.engine.context import Run, Schedule
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.scheduling.critical_path import ways_left
from kitty_run.engine.scheduling.dependency_graph import in_motion, missing, stuck
from kitty_run.engine.scheduling.host_poller import HostPoller
from kitty_run.engine.scheduling.workspace_leases import reason
from kitty_run.engine.shutdown import End
from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.engine.state.events import ErrorUnexpected, WorkspaceAwaited, WpEnded
from kitty_run.engine.state.gate_answers import LOOK, answer_of
from kitty_run.errors import ExitStatus, JournalError, KittyRunError
from kitty_run.host.model import Lane
from kitty_run.machine import fault_of

Start = Callable[[str], Coroutine[None, None, End]]
"""Runs a work package to its end."""


class Scheduler:
    """Runs the work packages of one mission until none can continue; `start` runs one."""

    def __init__(self, run: Run, calls: HostCalls, schedule: Schedule, start: Start) -> None:
        self._run = run
        self._calls = calls
        self._schedule = schedule
        self._start = start
        self._tasks: dict[asyncio.Task[End], str] = {}
        self.ends: dict[str, End] = {}
        self._poller = HostPoller(run, calls, self.ends)
        self._leases = schedule.leases
        self._leases.named = calls.host.workspaces(tuple(run.board.work_packages))
        self._announced: set[tuple[str, str]] = set()
        self._estimate()
        self._look: asyncio.Task[list[str]] | None = None
        self.abort: KittyRunError | None = None

    async def run(self) -> dict[str, End]:
        """Work until nothing is in flight and nothing can start; every work package gets an end.

        An error that ends the whole run is left in `abort`. Raises `JournalError` at once.
        """
        try:
            while True:
                await self._fill()
                if not self._tasks:
                    break
                await self._wait()
        finally:
            await self.stop()
        self._account_for_the_rest()
        return self.ends

    async def _wait(self) -> None:
        """Until a work package ends, others were looked at, or a gate may be answered."""
        if self._look is None and self._poller.awaited():
            self._look = asyncio.create_task(self._poller.look())
        awaited = {*self._tasks, *([self._look] if self._look else [])}
        self._leases.news.clear()
        news = asyncio.create_task(self._leases.news.wait())
        try:
            await asyncio.wait(
                {*awaited, news}, timeout=self._patience(), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            news.cancel()
        for task in [task for task in self._tasks if task.done()]:
            self._collect(task)
        if self._look is not None and self._look.done():
            for wp in self._look.result():
                self.ends.pop(wp, None)
            self._look = None

    def _patience(self) -> float | None:
        """Seconds to wait for the next end: few while a gate may be answered, else as many as it takes."""
        return LOOK if any(end.gate for end in self.ends.values()) else None

    def _reopen(self) -> None:
        """Let work packages continue whose gate has been answered meanwhile, or whose workspace is free."""
        for wp, end in list(self.ends.items()):
            answered = end.gate is not None and answer_of(self._run.place, end.gate) is not None
            if answered or (end.code is EndCode.WORKSPACE and self._run.holder(wp, self._leases) is None):
                del self.ends[wp]

    async def stop(self) -> None:
        """End what is in flight now; the work packages stay where they are and can be continued."""
        if self._look is not None:
            self._look.cancel()
        for task in self._tasks:
            task.cancel()
        for task in await _settled(self._tasks):
            self._collect(task)

    async def _fill(self) -> None:
        self._reopen()
        room = self._run.profile.concurrency.work_packages - len(self._tasks)
        if room <= 0 or self._run.control.draining:
            return
        for wp in await self._candidates(room):
            self._tasks[asyncio.create_task(self._start(wp), name=wp)] = wp

    async def _candidates(self, room: int) -> list[str]:
        """Up to `room` that may start now: reviews before implementations, then the longest way first."""
        board, traits = self._run.board, self._calls.host.traits
        packages = tuple(board.work_packages.values())
        found = in_motion(packages, board.lanes, traits.satisfied_by) + await self._offered()
        taken = {*self._tasks.values(), *self.ends}
        free = [wp for wp in dict.fromkeys(found) if wp not in taken]
        if len(free) > room or self._leases.shared():
            ways = self._estimate()
            free.sort(key=lambda wp: (not board.lanes[wp].past_implementation, -ways.get(wp, 0.0)))
        return self._leased(free, room)

    def _leased(self, free: Sequence[str], room: int) -> list[str]:
        """The first `room` of `free` whose workspaces nobody else holds, which they hold from now on."""
        chosen: list[str] = []
        for wp in free:
            if len(chosen) == room:
                break
            holder = self._run.holder(wp, self._leases)
            if holder is None:
                self._leases.active.add(wp)
                chosen.append(wp)
            elif (wp, holder) not in self._announced:
                self._announced.add((wp, holder))
                self._run.journal.write(WorkspaceAwaited(wp, holder=holder, claimed=False))
        return chosen

    def _estimate(self) -> Mapping[str, float]:
        board = self._run.board
        packages = tuple(board.work_packages.values())
        ways = ways_left(
            packages, board.lanes, self._run.memory.work_packages, self._schedule.sizes, self._leases.named
        )
        self._schedule.slots.ways = ways
        return ways

    async def _offered(self) -> list[str]:
        """What the host offers where lanes alone can't say, since a dependency was canceled."""
        board = self._run.board
        if Lane.CANCELED not in board.lanes.values():
            return []
        unclear = [
            package.id
            for package in board.work_packages.values()
            if board.lanes[package.id] is Lane.PLANNED
            and package.id not in self.ends
            and (absent := missing(package, board.lanes, self._calls.host.traits.satisfied_by))
            and all(board.lanes.get(wp) is Lane.CANCELED for wp in absent)
        ]
        if not unclear:
            return []
        offered = await self._calls.ready()
        return [wp for wp in unclear if wp in offered]

    def _collect(self, task: asyncio.Task[End]) -> None:
        wp = self._tasks.pop(task)
        self._leases.active.discard(wp)
        error = None if task.cancelled() else task.exception()
        if task.cancelled():
            end = End(EndCode.INTERRUPTED, "interrupted")
        elif error is None:
            end = task.result()
        else:
            end = self._failed(wp, error)
        self.ends[wp] = end
        self._poller.left(wp)
        self._run.journal.write(WpEnded(wp, result=end.result, code=end.code, reason=end.reason))

    def _failed(self, wp: str, error: BaseException) -> End:
        """An error ends its work package loudly; an expected one that concerns all ends the run."""
        error = fault_of(error, self._run.repo) or error
        if isinstance(error, JournalError) or not isinstance(error, Exception):
            raise error
        if isinstance(error, KittyRunError):
            if self.abort is None:
                self.abort = error
            if error.exit_status is ExitStatus.PAUSED:
                self._run.control.drain(EndCode.PAUSED, str(error))
                return End(EndCode.PAUSED, str(error))
            self._run.control.drain(EndCode.RUN_ABORTED, f"the run was ended: {error}")
            return End(EndCode.ERROR, str(error))
        text = "".join(traceback.format_exception(error))
        self._run.journal.write(ErrorUnexpected(wp, error=repr(error), traceback=text))
        return End(
            EndCode.UNEXPECTED, f"unexpected {type(error).__name__}: {error} (traceback in the journal)"
        )

    def _unblock(self, wp: str) -> str:
        return self._calls.host.traits.unblocking(self._run.board.mission, wp, self._run.profile.host.actor)

    def _account_for_the_rest(self) -> None:
        board = self._run.board
        why = {
            wp: f"{end.result}: {end.reason}" if end.reason else end.result for wp, end in self.ends.items()
        }
        packages = tuple(board.work_packages.values())
        waiting = {
            one.wp: one for one in stuck(packages, board.lanes, self._calls.host.traits.satisfied_by, why)
        }
        for wp, lane in board.lanes.items():
            if wp in self.ends:
                continue
            if lane is Lane.DONE:
                self.ends[wp] = End(EndCode.DONE_BEFORE, "done by others, or before this run")
            elif lane is Lane.BLOCKED:
                self.ends[wp] = End(
                    EndCode.BLOCKED_ON_HOST, f"blocked on the host. To free it, {self._unblock(wp)}"
                )
            elif lane is Lane.CANCELED:
                self.ends[wp] = End(EndCode.CANCELED, "canceled on the host")
            elif wp in waiting:
                self.ends[wp] = End(EndCode.DEPENDENCIES, str(waiting[wp]))
            elif (
                not self._run.control.draining and (holder := self._run.holder(wp, self._leases)) is not None
            ):
                self.ends[wp] = End(EndCode.WORKSPACE, f"{reason(wp, holder)} ({board.lanes[holder]})")
            else:
                self.ends[wp] = self._run.control.end()


def exit_status(ends: dict[str, End], abort: KittyRunError | None, interrupted: bool) -> ExitStatus:
    """The exit status of the work so far; OK means that the mission may be finished."""
    if interrupted:
        return ExitStatus.INTERRUPTED
    if abort is not None:
        return abort.exit_status
    results = {end.result for end in ends.values()}
    if all(end.result is Result.DONE or end.code is EndCode.CANCELED for end in ends.values()):
        return ExitStatus.OK
    if any(end.code is EndCode.LIMIT_REACHED for end in ends.values()):
        return ExitStatus.PAUSED  # whatever else is blocked or held: the run is not at its end
    if Result.PAUSED in results and results <= {Result.DONE, Result.PAUSED, Result.WAITING, Result.STOPPED}:
        return ExitStatus.PAUSED
    return ExitStatus.INCOMPLETE


async def _settled(tasks: dict[asyncio.Task[End], str]) -> list[asyncio.Task[End]]:
    if not tasks:
        return []
    done, _ = await asyncio.wait(tasks)
    return list(done)
