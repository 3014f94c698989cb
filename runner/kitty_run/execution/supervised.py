"""Starting a command below a supervisor of its own, so that nothing it leaves behind is lost sight of."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import select
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from kitty_run.agents.launch.environment import WORKSPACE
from kitty_run.execution.process_tree import MARKER
from kitty_run.process_identity import identity

NEEDED = ("LD_LIBRARY_PATH",)
"""What the interpreter itself may need to start."""
IDENTITY = (MARKER, WORKSPACE)
"""What the supervisor is known by, and with it all below it, whatever the command does to its environment."""
SUPERVISOR = Path(__file__).with_name("supervisor.py")


class SupervisedProcess:
    """A started command. `pid` leads its session: the supervisor's, or its own where there is none.

    `created` is when that process started (epoch seconds), `identity` what it is known by beside its pid.
    """

    def __init__(self, process: Process, report: _Report | None) -> None:
        self.pid = process.pid
        self.created = _created(process.pid)
        self.identity = identity(process.pid) or ""
        self._process = process
        self._report = report
        self._status = asyncio.create_task(self._read(report) if report else process.wait())

    @property
    def returncode(self) -> int | None:
        """The command's, as `asyncio` has it; None while it runs."""
        return self._status.result() if self._status.done() else None

    async def wait(self) -> int:
        """The command's exit code, once it has ended; what it left may still run."""
        return await asyncio.shield(self._status)

    async def gone(self) -> bool:
        """Wait until the supervisor has ended too; whether it saw all that was left below it end."""
        left = await self._process.wait()
        await self.wait()
        return self._report is not None and left == 0

    def over(self) -> bool:
        """Whether the command has ended, even if that was not reported yet."""
        if self._status.done():
            return True
        if self._report is not None:
            return self._report.ready()
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True  # the event loop has reaped it

    async def _read(self, report: _Report) -> int:
        line = await report.line()
        report.close()
        return int(line) if line else await self._process.wait()  # without: the supervisor was killed


def _created(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return time.time()  # already over and reaped


class _Report:
    """The end of the pipe on which a supervisor reports its command's end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._rest = b""

    def ready(self) -> bool:
        return b"\n" in self._rest or bool(select.select([self._descriptor], [], [], 0)[0])

    async def line(self) -> str:
        """The next line without its end; empty where there comes none any more."""
        while b"\n" not in self._rest:
            if not (block := await self._block()):
                return ""
            self._rest += block
        text, _, self._rest = self._rest.partition(b"\n")
        return text.decode("ascii", "replace")

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    async def _block(self) -> bytes:
        if self._descriptor < 0:
            return b""
        readable: asyncio.Future[None] = self._loop.create_future()

        def found() -> None:
            if not readable.done():
                readable.set_result(None)

        self._loop.add_reader(self._descriptor, found)
        try:
            await readable
        finally:
            self._loop.remove_reader(self._descriptor)
        return os.read(self._descriptor, 4096)


def _job(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """A descriptor from which the supervisor reads its job; ValueError where no process can have it."""
    words = [os.fsencode(word) for word in argv]
    variables = [os.fsencode(name) + b"=" + os.fsencode(value) for name, value in env.items()]
    if any(b"\0" in item for item in (*words, *variables)):
        raise ValueError("embedded null byte")
    if any("=" in name or not name for name in env):
        raise ValueError("illegal environment variable name")
    job = os.memfd_create("kitty-run-job")
    with os.fdopen(os.dup(job), "wb") as file:
        file.write(b"".join(item + b"\0" for item in (b"%d" % len(words), *words, *variables)))
    os.lseek(job, 0, os.SEEK_SET)
    return job


def unavailable() -> str | None:
    """Why there is no supervisor on this machine, or None: then a daemon that hides may not be found."""
    if not sys.platform.startswith("linux"):
        return "only Linux hands the children of an ended process to one above it"
    if getattr(ctypes.CDLL(None), "prctl", None) is None:
        return "the C library has no prctl"
    if not Path("/proc/self/stat").exists():
        return "there is no /proc"
    return None


async def start(  # noqa: PLR0913 - what a process is started with
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int,
    stdout: int,
    stderr: int,
    record: Path | None = None,
) -> SupervisedProcess:
    """Start `argv` in a session of its own, below a supervisor where the machine has one.

    The supervisor keeps in `record` how the command ended where nobody is there any more to be told.
    Raises OSError where the command can't be executed, and ValueError for what no process can be given.
    """

    async def started(command: Sequence[str], env: Mapping[str, str], kept: tuple[int, ...] = ()) -> Process:
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=kept,
        )

    if unavailable() is not None:
        return SupervisedProcess(await started(argv, env), None)
    job = _job(argv, env)
    reader, writer = os.pipe2(os.O_CLOEXEC)
    try:
        command: tuple[str, ...] = (sys.executable, "-I", "-S", str(SUPERVISOR), str(writer), str(job))
        command += () if record is None else (str(record),)
        own = {name: os.environ[name] for name in NEEDED if name in os.environ}
        own |= {name: env[name] for name in IDENTITY if name in env}
        process = await started(command, own, kept=(writer, job))
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
        os.close(job)
    report = _Report(reader)
    first = await report.line()
    if first != "started":
        report.close()
        await process.wait()
        number = int(first.removeprefix("errno ") or errno.ECHILD)
        raise OSError(number, os.strerror(number), argv[0])
    return SupervisedProcess(process, report)
