"""Asking a program for its version."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from shutil import which

from kitty_run.process_group import end_group

TIMEOUT = 15.0
"""Seconds that a program gets to print its version; some start slowly."""


async def output(*argv: str, cwd: Path | None = None, timeout: float = TIMEOUT) -> str | None:
    """What the command prints; None where it does not start, fails, or takes more than `timeout` seconds."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, cwd=cwd, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
    except OSError:
        return None
    try:
        text, _ = await asyncio.wait_for(process.communicate(), timeout)
    except TimeoutError:
        await end_group(process)
        return None
    return text.decode(errors="replace").strip() if process.returncode == 0 else None


async def version(command: str, path: str | None = None) -> tuple[str, str] | None:
    """Where `command` is found on `path` (default: PATH), and the first line of its `--version`."""
    found = which(command, path=path)
    if found is None:
        return None
    said = await output(found, "--version")
    return found, said.splitlines()[0].strip() if said else "says no version"
