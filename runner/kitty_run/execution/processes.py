"""Agents as processes of this machine: started in a session of their own, watched, and ended whole."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import Awaitable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

import psutil

from kitty_run.agents.model import Ending, Exit, Launch, OnStarted, Started
from kitty_run.errors import LaunchError
from kitty_run.execution.logs.log_limit import LimitedLog
from kitty_run.execution.process_tree import CLOCK_SLACK, MARKER, Family, ProcessTable, end, recorded
from kitty_run.execution.strays import orphans_in
from kitty_run.execution.supervised import SupervisedProcess, start
from kitty_run.machine import OF_THE_MACHINE, MachineFault, own_file

T = TypeVar("T")

TICK = 2.0
"""Seconds between two looks at a running attempt: has its log grown, has it new children. It begins with
`FIRST_LOOK` and doubles, for most of what leaves an agent's tree does so early."""

FIRST_LOOK = 0.1
MISSED = 1.0
"""Seconds by which a look may come late. Where it comes later, the runner or the whole machine was stopped
(^Z, SIGSTOP, a pause): that time counts for no limit of the attempt."""
REAP_PATIENCE = 5.0
NOT_STARTABLE = frozenset(
    {errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
)


class ProcessRunner(Protocol):
    """Runs one launch to its end. Cancelling the call ends the whole process tree first."""

    async def run(self, launch: Launch, on_started: OnStarted) -> Exit: ...


class LocalProcesses:
    """Runs launches as local processes; one instance serves any number at once.

    Output goes from the child straight into its log files. No pipe and no thread per child is used here;
    how the event loop waits for children is its child watcher's business.
    """

    def __init__(self) -> None:
        self._table = ProcessTable()

    async def run(self, launch: Launch, on_started: OnStarted) -> Exit:
        """Run `launch` to its end, and end whatever it left behind.

        Cancelling this call, or an error of `on_started`, ends the process tree before it is raised again.
        A command that is missing or can't be executed is an `Exit` too, with the reason in the log.
        Raises LaunchError, or MachineFault, where anything else keeps the attempt from starting.
        """
        begun = time.monotonic()
        files = list[LimitedLog]()
        try:
            child, cancelled = await _undisturbed(_start(launch, files))
            if child is None:
                if cancelled is not None:
                    raise cancelled
                return _exit(launch, "not_installed", None, begun)
            family = Family({child.pid}, {launch.marker})
            try:
                if cancelled is not None:
                    raise cancelled
                await on_started(Started(child.pid, child.created, child.identity))
                ending = await self._watch(child, launch, family, files)
            finally:
                await self._finish(child, family, launch)
            ended = _exit(launch, ending, child.returncode, begun)
        finally:
            left_out, cancelled = await _undisturbed(asyncio.to_thread(_close, files))
        if cancelled is not None:
            raise cancelled
        return replace(ended, left_out=left_out)

    async def _watch(
        self, child: SupervisedProcess, launch: Launch, family: Family, files: Sequence[LimitedLog]
    ) -> Ending:
        """Wait for the child's end or for the reason to end it."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + launch.timeout
        idle = _IdleClock(launch, clock())
        waiting = asyncio.ensure_future(child.wait())
        pause = FIRST_LOOK
        try:
            while True:
                begun = clock()
                due = max(0.0, min(pause, min(deadline, idle.deadline) - begun))
                await asyncio.wait({waiting}, timeout=due)
                if waiting.done():
                    return "exit"
                if (missed := clock() - begun - due) > MISSED:
                    deadline += missed
                    idle.deadline += missed
                # What ended while nobody looked ended by itself.
                if clock() >= deadline:
                    return await _ended_meanwhile(child, waiting, "timeout")
                if idle.is_over(clock()):
                    return await _ended_meanwhile(child, waiting, "idle")
                for log in files:
                    log.look(clock() - begun)
                family.update(await self._table.recent())
                pause = min(2 * pause, TICK, idle.tick, *(log.pause for log in files))
        finally:
            waiting.cancel()

    async def _finish(self, child: SupervisedProcess, family: Family, launch: Launch) -> None:
        _, cancelled = await _undisturbed(self._end(child, family, launch))
        if cancelled is not None:
            raise cancelled

    async def _end(self, child: SupervisedProcess, family: Family, launch: Launch) -> None:
        await end(family, self._table, launch.kill_grace)
        complete = False
        with contextlib.suppress(TimeoutError):  # a child that hangs in the kernel is never reaped
            complete = await asyncio.wait_for(child.gone(), REAP_PATIENCE)
        if not complete:
            hidden = await asyncio.to_thread(orphans_in, (launch.cwd,), child.created)
            await end(Family((), (), hidden), self._table, launch.kill_grace)


async def end_leftovers(
    started: Sequence[Started],
    markers: Collection[str],
    grace: float = 5.0,
    places: Collection[Path] = (),
) -> int:
    """End what attempts of a killed run left running; how many processes there were.

    A recorded process counts only if its pid and its start time are as recorded: a reused pid is left
    alone. Besides it, its session, its descendants and every process that carries one of `markers` end. Where
    one recorded is no more, so do daemons in one of `places` that started after it.
    """
    table = ProcessTable()
    leaders = recorded(started, await table.fresh())
    hidden: tuple[psutil.Process, ...] = ()
    if len(leaders) < len(started):
        since = min(one.created for one in started) - CLOCK_SLACK
        hidden = await asyncio.to_thread(orphans_in, places, since)
    return await end(Family(leaders, markers, hidden), table, grace)


async def _ended_meanwhile(child: SupervisedProcess, waiting: asyncio.Future[int], late: Ending) -> Ending:
    """`exit` for a child that has ended though that was not reported yet, else `late`."""
    if child.over():
        await asyncio.wait({waiting}, timeout=REAP_PATIENCE)
    return "exit" if waiting.done() else late


class _IdleClock:
    """When the attempt has been silent for too long: judged by the size of its logs."""

    def __init__(self, launch: Launch, now: float) -> None:
        self._files = (launch.stdout, launch.stderr)
        self._limit = float("inf") if launch.idle_timeout is None else launch.idle_timeout
        self._sizes = self._measure()
        self.deadline = now + self._limit
        self.tick = self._limit / 4

    def is_over(self, now: float) -> bool:
        """Whether nothing was written for the limit; growth seen at `now` moves the deadline."""
        sizes = self._measure()
        if sizes != self._sizes:
            self._sizes = sizes
            self.deadline = now + self._limit
        return now >= self.deadline

    def _measure(self) -> tuple[int, ...]:
        return tuple(_size(file) for file in self._files)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return -1  # somebody removed it; the attempt continues


def _close(files: Sequence[LimitedLog]) -> int:
    """How many bytes of the output are in none of the logs."""
    return sum([log.close() for log in files])


async def _start(launch: Launch, logs: list[LimitedLog]) -> SupervisedProcess | None:
    """The started child, with its `logs`; None where the command can't be executed, with why in its log."""
    with _files(launch) as (stdin, stdout, stderr):
        outputs = {launch.stderr: stderr, launch.stdout: stdout}
        logs += [LimitedLog(path, file, launch.log_limit) for path, file in outputs.items()]
        try:
            env = {**launch.env, MARKER: launch.marker}
            return await start(
                launch.argv,
                cwd=launch.cwd,
                env=env,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                record=launch.record,
            )
        except (OSError, ValueError) as error:
            explained = _explain_start(launch, error).encode()
            with own_file(launch.stderr):
                os.write(stderr, explained)
            return None


def _explain_start(launch: Launch, error: OSError | ValueError) -> str:
    """The line for the log; raises LaunchError or MachineFault where the command is not at fault."""
    command = launch.argv[0]
    if not isinstance(error, OSError):
        raise LaunchError(f"cannot start {command}: {error} (in its arguments or environment)") from error
    if not launch.cwd.is_dir():
        raise LaunchError(f"the workspace {launch.cwd} is not there; run again to make it anew") from error
    if error.errno == errno.E2BIG:
        raise LaunchError(
            f"cannot start {command}: its arguments are longer than the system allows; "
            "use `prompt: stdin` or `prompt: file` for this agent"
        ) from error
    if error.errno in OF_THE_MACHINE:
        raise MachineFault.starting(command, launch.cwd, error) from error
    if error.errno not in NOT_STARTABLE:
        raise LaunchError(f"cannot start {command}: {error.strerror}") from error
    return f"kitty-run: cannot start {command}: {error.strerror}\n"


@contextlib.contextmanager
def _files(launch: Launch) -> Iterator[tuple[int, int, int]]:
    """Descriptors of stdin, stdout and stderr; both logs may be one file."""
    with contextlib.ExitStack() as stack:

        def opened(path: Path | str, flags: int) -> int:
            descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, descriptor)
            return descriptor

        with own_file(launch.stdout):
            stdin = opened(launch.stdin or os.devnull, os.O_RDONLY)
            stdout = opened(launch.stdout, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
            same = launch.stderr == launch.stdout
            flags = os.O_WRONLY | os.O_APPEND | (0 if same else os.O_CREAT | os.O_EXCL)
            stderr = opened(launch.stderr, flags)
        yield stdin, stdout, stderr


def _exit(launch: Launch, ending: Ending, returncode: int | None, begun: float) -> Exit:
    status = signal = None
    if ending == "exit" and returncode is not None:
        if returncode < 0:
            ending, signal = "signal", -returncode
        else:
            status = returncode
    seconds = time.monotonic() - begun
    return Exit(ending, status, signal, seconds, launch.stdout, launch.stderr)


async def _undisturbed(work: Awaitable[T]) -> tuple[T, asyncio.CancelledError | None]:
    """The result of `work`, never interrupted, and the cancellation that was asked for meanwhile."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    return task.result(), cancelled
