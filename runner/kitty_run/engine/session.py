"""One session of a run: from the first look at the mission to its end, interruption or pause."""

from __future__ import annotations

import asyncio

from kitty_run.engine.context import Services
from kitty_run.engine.decisions.budget import account
from kitty_run.engine.lifecycle.approvals import Approvals
from kitty_run.engine.lifecycle.attempts.budget_check import keeping_time, of_run, of_work_package
from kitty_run.engine.lifecycle.finish import Finish
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.lifecycle.mission.branch_watch import BranchWatch
from kitty_run.engine.lifecycle.mission.reviewed_heads import ReviewedHeads
from kitty_run.engine.lifecycle.review_cleanup import close_all
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.engine.lifecycle.work_package import WorkPackageRun
from kitty_run.engine.scheduling.dependency_graph import cycle
from kitty_run.engine.scheduling.scheduler import Scheduler, exit_status
from kitty_run.engine.shutdown import End, Stop
from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.engine.state.events import RunEnded
from kitty_run.engine.state.session_report import Reached, Report, WorkPackageReport
from kitty_run.engine.state.work_package_memory import WorkPackageMemory
from kitty_run.errors import ExitStatus, JournalError, KittyRunError, UsageError
from kitty_run.host.model import Lane
from kitty_run.machine import fault_of
from kitty_run.profile.validation.unseen_limits import unseen


class NothingPlanned(UsageError):
    """The mission has no work packages: there is nothing to do, and so nothing to accept or merge."""


class DependencyCycle(KittyRunError):
    """The mission's work packages have a dependency cycle: none of those in it can start."""


class Session:
    """Runs one mission as far as it goes."""

    def __init__(self, services: Services) -> None:
        self._run = services.run
        self._services = services
        self._calls = HostCalls(services.run, services.host, services.root)
        self._approvals = Approvals(services.run, self._calls, services.asker, assume_yes=services.assume_yes)
        self._watch = BranchWatch(services.run, services.host, services.git.repository)
        self._scheduler: Scheduler | None = None
        self._interrupts = 0
        self._task: asyncio.Task[None] | None = None

    def interrupt(self) -> None:
        """Once: nothing new starts, running attempts finish. Twice: they are ended."""
        self._interrupts += 1
        self._run.control.drain(EndCode.INTERRUPTED, "interrupted")
        if self._interrupts > 1 and self._task is not None:
            self._task.cancel()

    def end_now(self) -> None:
        """End the running attempts at once, as the second interrupt does."""
        self._interrupts += 1
        self.interrupt()

    async def run(self) -> Report:
        """Run to the end. Expected errors become part of the report; only journal errors are raised."""
        async with self._run.clock.looking():
            return await self._to_the_end()

    async def _to_the_end(self) -> Report:
        self._check_graph()
        self._calls.take_lanes(self._run.memory.attempted_before)
        self._scheduler = Scheduler(self._run, self._calls, self._services.schedule, self._start)
        reason = ""
        self._task = asyncio.create_task(self._work(self._scheduler))
        try:
            await self._task
            status = exit_status(self._scheduler.ends, self._scheduler.abort, self._interrupts > 0)
        except asyncio.CancelledError:
            if not self._interrupts:
                raise
            status = ExitStatus.INTERRUPTED
        except Stop as stop:
            paused = stop.end.result is Result.PAUSED
            status = ExitStatus.PAUSED if paused else ExitStatus.INCOMPLETE
            reason = "" if stop.end.code is EndCode.LIMIT_REACHED else stop.end.reason
        except JournalError:
            raise
        except (KittyRunError, OSError) as error:
            expected = fault_of(error, self._run.repo) or error
            if not isinstance(expected, KittyRunError):
                raise
            status, reason = expected.exit_status, str(expected)
        if self._interrupts:
            status = ExitStatus.INTERRUPTED
        return self._report(status, reason or self._why())

    async def _start(self, wp: str) -> End:
        return await WorkPackageRun(self._services, self._calls, self._approvals, self._watch, wp).run()

    def _check_graph(self) -> None:
        mission = self._run.board.mission
        if not self._run.board.work_packages:
            nothing = NothingPlanned(
                f"mission {mission} has no work packages, so that nothing was called that changes it: plan "
                f"its tasks first (they belong in kitty-specs/{mission}/tasks/) and run again"
            )
            self._write_end(nothing.exit_status, str(nothing), 0.0)
            raise nothing
        if found := cycle(tuple(self._run.board.work_packages.values())):
            error = DependencyCycle(
                f"mission {self._run.board.mission}: dependency cycle {' -> '.join(found)}; "
                "fix the `dependencies` of one of them and run again"
            )
            self._write_end(error.exit_status, str(error), 0.0)
            raise error

    async def _work(self, scheduler: Scheduler) -> None:
        for limit in unseen(self._run.profile):
            self._run.notice(str(limit))
        async with keeping_time(self._run):
            await self._approvals.pass_or_stop("start")
            await self._start_nothing_on_lost_ground()
            await self._find_reviewed()
            await close_all(self._run, self._calls, self._services.git)
            ends = await scheduler.run()
            await self._watch.refuse()
        if exit_status(ends, scheduler.abort, self._interrupts > 0) is ExitStatus.OK:
            self._run.control.lift()
            finish = Finish(self._run, self._calls, self._services.git, self._approvals, self._watch)
            await finish.run()
            await self._watch.refuse()

    async def _start_nothing_on_lost_ground(self) -> None:
        """Nothing is paid for where commits are missing that were there before: that is named first."""
        try:
            await self._watch.refuse()
        except Unfinished as error:
            self._run.control.drain(EndCode.NOT_REACHED, str(error).partition("\n")[0])

    async def _find_reviewed(self) -> None:
        if self._run.profile.finish.merge is not None and self._run.memory.merged is None:
            heads = ReviewedHeads(self._run, self._calls, self._services.git.repository)
            await heads.compare()
            await heads.find()

    def _why(self) -> str:
        scheduler = self._scheduler
        if scheduler is not None and scheduler.abort is not None:
            return str(scheduler.abort)
        if found := self._limits():
            return account(found, self._run.memory.ledger.run, self._left())
        return self._run.control.reason if self._run.control.draining else ""

    def _limits(self) -> tuple[Reached, ...]:
        """The limits that something stopped at, as they are at the end."""
        stopped = [wp for wp, end in self._ends().items() if end.code is EndCode.LIMIT_REACHED]
        own = tuple(one for wp in stopped for one in of_work_package(self._run, wp))
        return ((of_run(self._run) if self._run.control.limit else ()) + own) if stopped else ()

    def _left(self) -> dict[str, Lane]:
        return {wp: lane for wp, lane in self._run.board.lanes.items() if not lane.finished}

    def _report(self, status: ExitStatus, reason: str) -> Report:
        memory, place = self._run.memory, self._run.place
        seconds, used = self._run.clock(), memory.ledger.run
        limits = self._limits()
        self._write_end(status, reason, seconds)
        packages = {wp: self._work_package(wp, end) for wp, end in self._ends().items()}
        return Report(
            run_id=place.id,
            mission=self._run.board.mission,
            repo=self._run.repo,
            journal=place.journal,
            exit_status=status,
            reason=reason,
            work_packages=packages,
            accepted=memory.accepted,
            merged=memory.merged,
            target=memory.target,
            calls=memory.calls,
            attempts=sum(package.attempts for package in packages.values()),
            cost=used.cost,
            tokens=used.tokens,
            unknown_tokens=used.unknown_tokens,
            seconds=seconds,
            limits=limits,
            left=self._left(),
            restored=memory.restored,
            denied=memory.denied,
        )

    def _write_end(self, status: ExitStatus, reason: str, seconds: float) -> None:
        cost = self._run.memory.ledger.run.cost.rounded()
        self._run.journal.write(
            RunEnded(
                exit_status=int(status),
                reason=reason,
                seconds=round(seconds, 3),
                cost_usd=cost.whole,
                known_cost_usd=cost.known_usd,
                unknown_costs=cost.unknown_attempts,
                left=self._left(),
            )
        )

    def _ends(self) -> dict[str, End]:
        """Every work package's end in the mission's order; without one, the run stopped before it."""
        ends = self._scheduler.ends if self._scheduler else {}
        unknown = self._run.control.end()
        return {wp: ends.get(wp, unknown) for wp in self._run.board.lanes}

    def _work_package(self, wp: str, end: End) -> WorkPackageReport:
        memory = self._run.remember(wp)
        attempts = sum(memory.attempts.values())
        lane = self._run.board.lanes[wp]
        unblock = self._calls.host.traits.unblocking(
            self._run.board.mission, wp, self._run.profile.host.actor
        )
        return WorkPackageReport(
            result=end.result,
            code=end.code,
            reason=end.reason,
            attempts=attempts,
            cycles=memory.cycle,
            cost=self._run.memory.ledger.of(wp).cost,
            lane=lane.value,
            unblock=unblock if lane is Lane.BLOCKED else "",
            remark=_remark(memory),
        )


def _remark(memory: WorkPackageMemory) -> str:
    verdict = memory.verdict
    said = []
    if memory.doubted:
        said.append("others moved it on the host during an attempt; it was reviewed after that")
    if memory.approver and verdict is None:
        said.append(f"approved on the host by {memory.approver}, without a review of this run")
    if verdict is not None and verdict.independent is False:
        said.append(f"reviewed by {verdict.agent}, of a family that did the work or a part of it")
    return "; ".join(said)
