"""How one host call is started: the seam between the client and a process."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class RawReply:
    """What a call of the host's command left behind.

    `status` is the exit status (negative: the signal that ended it), None where the time limit did
    (its process group has been killed by then). Texts are decoded as UTF-8 with replacement.
    """

    stdout: str
    stderr: str
    status: int | None
    seconds: float


class Starter(Protocol):
    """Runs the host's command, `command + arguments`, in `cwd`; one implementation per way to start.

    Raises `HostError` where the command can't be started at all (not installed, not executable).
    """

    async def call(self, arguments: tuple[str, ...], cwd: Path, timeout: float) -> RawReply: ...

    async def close(self) -> None:
        """End whatever the starter keeps running; safe to call twice."""
        ...


@runtime_checkable
class Preparable(Protocol):
    """A starter that finds out beforehand how the calls to come have to be started."""

    async def prepare(self, commands: Collection[str], cwd: Path, timeout: float) -> None:
        """Look at each of the host's top-level `commands` that will be called; changes nothing there."""
        ...
