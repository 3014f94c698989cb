"""Ending a child process with all that it started in its process group: the one way for all rooms.

For children that lead a session of their own (`start_new_session`): git, a host call, a program that is asked
for its version. What agents and checks start may leave their session, and is ended by
`kitty_run.execution.process_tree`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process


def signal_group(pid: int, number: signal.Signals) -> bool:
    """Signal the group that the process `pid` leads, or that process where it leads none (yet).

    False: there was nothing to signal. To be called only while `pid` can't have been given to others: the
    process runs, or was not waited for.
    """
    for send in (os.killpg, os.kill):
        try:
            send(pid, number)
        except (ProcessLookupError, PermissionError):
            continue
        return True
    return False


async def end_group(process: Process, grace: float = 0.0) -> None:
    """End `process` and its group, and wait for its end; nothing where it has ended.

    SIGTERM first, and SIGKILL `grace` seconds later; without a grace, SIGKILL at once.
    """
    if process.returncode is not None:
        return
    if grace > 0 and signal_group(process.pid, signal.SIGTERM):
        try:
            async with asyncio.timeout(grace):
                await process.wait()
        except TimeoutError:
            pass
        else:
            return
    signal_group(process.pid, signal.SIGKILL)
    await process.wait()
