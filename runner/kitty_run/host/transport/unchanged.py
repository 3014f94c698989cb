"""Whether the host's command is still the file that it was: an upgraded host is another one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kitty_run.host.model import HostRefused
from kitty_run.host.transport.environment import resolve

CHANGED = "HOST_CHANGED"


class Unchanged:
    """The file that `command` starts, as it was when this was made; installers write it anew.

    Raises `HostError` where there is none.
    """

    def __init__(self, command: tuple[str, ...], env: Mapping[str, str]) -> None:
        self._path = resolve(command, env)
        self._known = _identity(self._path)

    def check(self) -> None:
        """Raise `HostRefused` with the code `HOST_CHANGED` where it is another file by now."""
        if _identity(self._path) != self._known:
            raise changed(f"{self._path} is another file than at the start of the run")


def changed(what: str) -> HostRefused:
    """The refusal of a call to a host that is not the one that the run began with."""
    text = f"the host was changed during the run: {what}. Run again: it is asked anew what it is"
    return HostRefused(CHANGED, "call", text, {})


def _identity(path: Path) -> tuple[object, ...] | None:
    try:
        real = path.resolve()
        stat = real.stat()
    except OSError:
        return None
    return real, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns
