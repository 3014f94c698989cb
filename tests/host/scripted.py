"""A starter that answers from a script, and what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kitty_run.host.transport.start import RawReply

Answering = Callable[[tuple[str, ...]], RawReply]


def success(**data: object) -> RawReply:
    """A reply of exit status 0 with an envelope around `data`."""
    return _reply({"success": True, "error_code": None, "data": data}, 0)


def refused(code: str, **data: object) -> RawReply:
    """A reply of exit status 1 with the error code `code`."""
    return _reply({"success": False, "error_code": code, "data": data}, 1)


@dataclass
class ScriptedStarter:
    """Answers with `answer(argv)`; `most` is how many calls were under way at once at the most."""

    answer: Answering
    calls: list[tuple[str, ...]] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def call(self, arguments: tuple[str, ...], cwd: Path, timeout: float) -> RawReply:
        self.calls.append(arguments)
        self.running += 1
        self.most = max(self.most, self.running)
        for _ in range(3):
            await asyncio.sleep(0)
        self.running -= 1
        return self.answer(arguments)

    async def close(self) -> None:
        self.calls.append(("closed",))


def _reply(envelope: Mapping[str, object], status: int) -> RawReply:
    return RawReply(json.dumps({"command": "orchestrator-api.x", **envelope}) + "\n", "", status, 0.5)
