"""What real hosts answered: recorded calls with their exit statuses, and the codes that they stand for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kitty_run.host.transport.start import RawReply

DIRECTORY = Path(__file__).with_name("envelopes")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded call; `success` None: there was no envelope."""

    host: str
    name: str
    argv: tuple[str, ...]
    success: bool | None
    code: str | None
    reply: RawReply

    @property
    def id(self) -> str:
        return f"{self.host}/{self.name}"


@cache
def recordings(host: str | None = None) -> tuple[Recording, ...]:
    """All recordings, or those of one host."""
    files = [DIRECTORY / f"{host}.jsonl"] if host else sorted(DIRECTORY.glob("*.jsonl"))
    return tuple(
        _recording(path.stem, line) for path in files for line in path.read_text("utf-8").splitlines()
    )


def recorded(host: str, name: str) -> RawReply:
    """The reply of the recording `name` of `host`."""
    return next(found.reply for found in recordings(host) if found.name == name)


def _recording(host: str, line: str) -> Recording:
    entry = json.loads(line)
    reply = RawReply(entry["stdout"], entry["stderr"], entry["status"], 1.0)
    return Recording(host, entry["name"], tuple(entry["argv"]), entry["success"], entry["code"], reply)
