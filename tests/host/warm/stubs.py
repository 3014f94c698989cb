"""A stub host on disk, started warm: for what a real one can't be made to do."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
from kitty_run.host.transport.cold import ColdStarter
from kitty_run.host.transport.start import RawReply, Starter
from kitty_run.host.transport.warm.starter import WarmStarter

SOURCE = Path(__file__).with_name("stub_host.py").read_text("utf-8")
LIMIT = 60.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stub:
    """A stub host below `folder`, and the notices of its starters."""

    folder: Path
    interpreter: Path
    notices: list[str] = field(default_factory=list)

    @property
    def script(self) -> Path:
        return self.folder / "stub-host"

    def write(self, text: str) -> None:
        """Replace the script as an installer does: by a new file."""
        fresh = self.folder / "fresh"
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o755)
        fresh.rename(self.script)

    def write_python(self, source: str) -> None:
        first = str(self.interpreter)
        if first != sys.executable:  # a script, which not every system takes as another one's interpreter
            first = f"/usr/bin/env {first}"
        self.write(f"#!{first}\n{source}")

    def cold(self, command: tuple[str, ...] = ()) -> ColdStarter:
        return ColdStarter(command or (str(self.script),), os.environ)

    def run(self, use: Callable[[WarmStarter], Awaitable[Result]], command: tuple[str, ...] = ()) -> Result:
        """What `use` makes of a warm starter, which is closed then."""

        async def used() -> Result:
            starter = WarmStarter(
                command or (str(self.script),), os.environ, self.cold(command), self.notices.append
            )
            try:
                return await use(starter)
            finally:
                await starter.close()

        return asyncio.run(used())

    async def ask(self, starter: Starter, *words: str, timeout: float = LIMIT) -> RawReply:
        return await starter.call(("orchestrator-api", *words), self.folder, timeout)

    def log(self) -> list[str]:
        return (self.folder / "log").read_text("utf-8").split()

    def hanging(self) -> list[int]:
        """Which processes of the command `hang` are alive."""
        pids = [int(pid) for pid in (self.folder / "pids").read_text("utf-8").split()]
        return [pid for pid in pids if alive(pid)]

    def leftovers(self) -> list[psutil.Process]:
        """Processes that have this stub on their command line."""
        found = psutil.process_iter(["cmdline"])
        return [process for process in found if str(self.script) in (process.info["cmdline"] or [])]


def alive(pid: int) -> bool:
    """Whether it runs; a zombie, which only waits for its parent's attention, does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def data(reply: RawReply) -> dict[str, Any]:
    assert reply.status == 0, reply
    found: dict[str, Any] = json.loads(reply.stdout)["data"]
    return found
