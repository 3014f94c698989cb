"""Bubblewrap, for what an agent's command line can't keep (Linux).

A confined process is in namespaces of its own: users, processes, shared memory, host name, and the network
where the policy says none or lists hosts. It has no capability, makes no namespaces, and sees of the file
system what `file_system` says. All of it ends with the first process inside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from kitty_run.errors import LaunchError
from kitty_run.execution.egress import entrance
from kitty_run.execution.sandbox.file_system import View, confined_files, open_files
from kitty_run.execution.sandbox.resources import limited
from kitty_run.profile.limits import Resources

COMMAND = "bwrap"
PROBE_TIMEOUT = 20.0
NAMESPACES = ("--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-ipc", "--unshare-uts")
NOBODY = "65534"
PROXY_PORT = 3128
"""Of the sandbox's own loopback, where only the sandbox is."""
SOCKET = "/run/kitty-run/egress"
LOCAL = "localhost,127.0.0.1,::1"


@dataclass(frozen=True, slots=True)
class WayOut:
    """The socket of a gateway. `loopback`: it is asked for loopback, too; else that is the sandbox's own."""

    socket: Path
    loopback: bool = False


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a sandbox keeps: `files` the file system, to `view` (else little of it is hidden); `network` that
    there is none but by `way_out`; `resources` what is used."""

    view: View
    files: bool
    network: bool
    way_out: WayOut | None = None
    resources: Resources = field(default_factory=Resources)


def prefix_of(confinement: Confinement, env: Mapping[str, str], program: str) -> tuple[str, ...]:
    """What goes before a command: bubblewrap's arguments up to `--`, and the entrance. Raises LaunchError."""
    found = shutil.which(COMMAND)
    if found is None:
        raise LaunchError(
            f"`sandbox: bubblewrap` needs the command {COMMAND}: install the package bubblewrap"
        )
    files = confined_files if confinement.files else open_files
    way_out = confinement.way_out
    return (
        found,
        *("--die-with-parent", *NAMESPACES, "--unshare-cgroup-try", "--cap-drop", "ALL"),
        *(("--uid", NOBODY, "--gid", NOBODY) if os.geteuid() == 0 else ()),
        *(("--unshare-net",) if confinement.network else ()),
        *files(confinement.view, program, env),
        *(_way_out(way_out) if way_out else ()),
        *(("--remount-ro", "/") if confinement.files else ()),
        *("--setenv", "TMPDIR", "/tmp", "--chdir", str(confinement.view.workspace), "--"),  # noqa: S108 - its own
        *(_entrance() if way_out else ()),
        *limited(confinement.resources),
    )


ENTRANCE = Path(entrance.__file__)
LIBRARY = Path(os.__file__).parent
"""The interpreter's own modules, which the entrance needs."""


@cache
def python() -> str:
    """The interpreter that runs the entrance, by its real path."""
    return os.path.realpath(sys.executable)


def _way_out(way_out: WayOut) -> Iterator[str]:
    yield from ("--ro-bind", str(way_out.socket), SOCKET)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        for spelled in (name, name.lower()):
            yield from ("--setenv", spelled, f"http://127.0.0.1:{PROXY_PORT}")
    for spelled in ("NO_PROXY", "no_proxy"):
        yield from ("--setenv", spelled, "" if way_out.loopback else LOCAL)
    yield from ("--setenv", "NODE_USE_ENV_PROXY", "1")


def _entrance() -> tuple[str, ...]:
    return python(), "-I", "-S", str(ENTRANCE), SOCKET, str(PROXY_PORT)


def unavailable() -> str | None:
    """Why bubblewrap can't run here, or None; tries it, which blocks for some milliseconds."""
    found = shutil.which(COMMAND)
    if found is None:
        return f"the command {COMMAND} is not installed: install the package bubblewrap"
    probe = Confinement(View(Path("/usr"), writable=False), files=True, network=True)
    argv = [*prefix_of(probe, {}, "true"), "true"]
    try:
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=PROBE_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{found} cannot be run: {error}"
    if ended.returncode != 0:
        reason = " ".join(ended.stderr.split()) or f"exit status {ended.returncode}"
        return f"{found} cannot make a sandbox here: {reason}"
    return None
