"""The plain way to start a host call: one process each."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import IO

from kitty_run.errors import HostError
from kitty_run.host.transport.environment import host_environment, resolve
from kitty_run.host.transport.start import RawReply
from kitty_run.machine import OF_THE_MACHINE, MachineFault, own_file
from kitty_run.process_group import end_group

LIMIT = 16 << 20
"""Bytes of each output that a call may print."""
LOOK = 0.25
"""Seconds between two looks at how much it has printed."""


class ColdStarter:
    """Runs `command` anew for each call, in a process group of its own, with nothing on standard input.

    Output goes to unlinked files, not pipes: a process that the host leaves behind can't hold the reply up.
    `env` is the runner's environment, from which the host's is made (see `environment`).
    """

    def __init__(self, command: tuple[str, ...], env: Mapping[str, str]) -> None:
        self._command = command
        self._env = env

    async def call(self, arguments: tuple[str, ...], cwd: Path, timeout: float) -> RawReply:
        """One call; see `Starter`. Cancelling it ends the process group first."""
        with ExitStack() as scratch:
            with own_file(Path(self._env.get("TMPDIR", "/tmp"))):  # noqa: S108 - named in a message
                stdout, stderr = (scratch.enter_context(tempfile.TemporaryFile()) for _ in range(2))
            begin = monotonic()
            process = await self._start(arguments, cwd, stdout, stderr)
            status = await _status(process, timeout, (stdout, stderr))
            if _too_much((stdout, stderr)):
                words = f"it printed more than {LIMIT >> 20} MiB, and was ended\n"
                return RawReply("", words, -signal.SIGKILL, monotonic() - begin)
            texts = await asyncio.to_thread(lambda: (_text(stdout), _text(stderr)))
            return RawReply(*texts, status, monotonic() - begin)

    async def close(self) -> None:
        """Nothing is kept running."""

    async def _start(
        self, arguments: tuple[str, ...], cwd: Path, stdout: IO[bytes], stderr: IO[bytes]
    ) -> asyncio.subprocess.Process:
        executable = resolve(self._command, self._env)
        try:
            return await asyncio.create_subprocess_exec(
                str(executable),
                *self._command[1:],
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=cwd,
                env=host_environment(executable, self._env),
                start_new_session=True,
            )
        except OSError as error:
            if error.errno in OF_THE_MACHINE:
                raise MachineFault.starting(str(executable), cwd, error) from error
            raise HostError(
                f"the host's command `{executable}` cannot be started: {error.strerror}"
            ) from error


async def _status(
    process: asyncio.subprocess.Process, timeout: float, outputs: tuple[IO[bytes], ...]
) -> int | None:
    """The exit status, or None where the time limit ended the group; printing too much ends it too."""
    try:
        async with asyncio.timeout(timeout):
            ending = asyncio.ensure_future(process.wait())
            while not (await asyncio.wait([ending], timeout=LOOK))[0]:
                if _too_much(outputs):
                    await end_group(process)
            return await ending
    except TimeoutError:
        await end_group(process)
        return None
    except asyncio.CancelledError:
        await end_group(process)
        raise


def _too_much(outputs: tuple[IO[bytes], ...]) -> bool:
    return any(os.fstat(output.fileno()).st_size > LIMIT for output in outputs)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
