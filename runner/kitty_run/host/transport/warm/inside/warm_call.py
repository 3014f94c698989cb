"""Part of the warm host: one call, as the forked child that runs it, and how a shim asks for one.

Standard library only, Python 3.9 and later.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

LIMIT = 16 << 20
"""Bytes of each output that a call may print, as for a cold one."""

Reply = dict[str, Any]
"""A JSON object of the warm host's answers (see `warm_server.py`)."""


@dataclass(frozen=True)
class Request:
    """What a call is to be.

    `arguments` None: those that the script was started with. `timeout`: in seconds, None for none.
    `environment` None: the server's own. `streams`: the child's standard streams where they are not the
    null device and two scratch files. `number`: the id of the request, None where nobody asked for it by one.
    """

    arguments: list[str] | None
    cwd: str
    timeout: float | None = None
    environment: dict[bytes, bytes] | None = None
    streams: list[int] | None = None
    number: int | None = None


class Call:
    """A request, and then the forked child that runs it."""

    def __init__(self, request: Request, answer: Callable[[Reply], None]) -> None:
        self.request = request
        self.answer = answer
        # Files, not pipes: a grandchild that lingers on can't hold the reply up.
        self.stdout, self.stderr, self.modules = scratch_file(), scratch_file(), scratch_file()
        self.started = time.monotonic()
        self.deadline = None if request.timeout is None else self.started + request.timeout
        self.timed_out = False
        self.pid = 0  # 0 before its start and after its end

    def take_on(self) -> None:
        """In the child: become the call's own process."""
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        scratch = [nothing, self.stdout.fileno(), self.stderr.fileno()]
        for fd, stream in enumerate(self.request.streams or scratch):
            os.dup2(stream, fd)
        if self.request.environment is not None:
            os.environb.clear()
            os.environb.update(self.request.environment)
        if self.request.arguments is not None:
            sys.argv[1:] = self.request.arguments

    def kill(self) -> None:
        """End the child and its process group; without a group yet, it has started nothing."""
        if not self.pid:
            return
        for end in (os.kill, os.killpg):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(self.pid, signal.SIGKILL)

    def printed_too_much(self) -> bool:
        return any(os.fstat(file.fileno()).st_size > LIMIT for file in (self.stdout, self.stderr))

    def finish(self, status: int) -> list[str]:
        """Answer; returns the modules that the child imported."""
        self.pid = 0
        seconds = time.monotonic() - self.started
        shown = None if self.timed_out else status
        too_much = self.printed_too_much()
        stdout, stderr, modules = (content(file) for file in (self.stdout, self.stderr, self.modules))
        if too_much:
            shown, stdout = -signal.SIGKILL, ""
            stderr = f"it printed more than {LIMIT >> 20} MiB, and was ended\n"
        self.answer({"status": shown, "stdout": stdout, "stderr": stderr, "seconds": seconds})
        return modules.split()


def scratch_file() -> IO[bytes]:
    """A file without a name, that `content` reads and closes."""
    return tempfile.TemporaryFile()


def content(file: IO[bytes]) -> str:
    with file:
        file.seek(0)
        return str(file.read(LIMIT), "utf-8", "replace")


class ShimRequest:
    """What a shim sent so far: its three streams, and its message (see `warm_shim.py`)."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.streams: list[int] = []
        self.data = b""
        self.call: Call | None = None

    def read(self) -> bool:
        """Take what has come; false where the shim is gone."""
        try:
            data, streams, _, _ = socket.recv_fds(self.connection, 1 << 20, 3)
        except OSError:
            return False
        self.streams += streams
        self.data += data
        return bool(data)

    def make_call(self) -> Call | None:
        """The call, once its message is complete: directory, number of arguments, these, environment."""
        length, line_end, body = self.data.partition(b"\n")
        if not line_end or len(body) < int(length):
            return None
        cwd, count, *words = body.split(b"\0")
        arguments, environment = words[: int(count)], words[int(count) :]
        request = Request(
            [os.fsdecode(argument) for argument in arguments],
            os.fsdecode(cwd),
            environment={name: value for name, _, value in (pair.partition(b"=") for pair in environment)},
            streams=self.streams,
        )
        self.call = Call(request, lambda reply: self.say(shell_status(reply)))
        return self.call

    def say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):  # the shim may be gone
            self.connection.sendall(word)

    def close(self) -> None:
        self.connection.close()
        while self.streams:
            os.close(self.streams.pop())


def shell_status(reply: Reply) -> bytes:
    """An exit status as a shell shows it, or `refused`."""
    if "refused" in reply:
        return b"refused"
    status = reply["status"]
    return b"%d" % (128 - status if status < 0 else status)
