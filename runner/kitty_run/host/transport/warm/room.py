"""The private directory of a warm host: its socket, and the command that is first on PATH."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kitty_run.host.transport.warm.script import ConsoleScript

SHEBANG_LIMIT = 127
"""Bytes of a first line that every kernel reads."""


@dataclass(frozen=True, slots=True)
class Room:
    """A directory that only this user can look into."""

    path: Path

    @property
    def socket(self) -> Path:
        return self.path / "socket"

    @property
    def bin(self) -> Path:
        return self.path / "bin"

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """`env` for host calls: with the shim first on PATH."""
        return {**env, "PATH": os.pathsep.join([str(self.bin), env.get("PATH", os.defpath)])}

    def remove(self) -> None:
        """Remove it whole; it may be gone already."""
        shutil.rmtree(self.path, ignore_errors=True)


def make_room(script: ConsoleScript) -> Room:
    """A new room whose `bin` holds a shim named as `script`; blocking. Raises OSError."""
    room = Room(Path(tempfile.mkdtemp(prefix="kitty-run-")))  # mkdtemp: 0700
    room.bin.mkdir()
    first_line = f"#!{script.interpreter[0]} -IS"
    if len(os.fsencode(first_line)) < SHEBANG_LIMIT and " " not in script.interpreter[0]:
        _write_shim(room, script, first_line)
    return room


def _write_shim(room: Room, script: ConsoleScript, first_line: str) -> None:
    source = (Path(__file__).with_name("inside") / "warm_shim.py").read_text("utf-8")
    source = source.replace('SOCKET = ""', f"SOCKET = {str(room.socket)!r}")
    source = source.replace('SCRIPT = ""', f"SCRIPT = {str(script.path)!r}")
    shim = room.bin / script.path.name
    shim.write_text(f"{first_line}\n{source}", "utf-8", errors="surrogateescape")
    shim.chmod(0o700)
