"""The kernel's limits of what one attempt or check may use: rlimits, set inside the sandbox.

There the number of processes is that of the sandbox alone, whatever else its user runs (user namespaces count
their own, Linux 5.14). Root is exempt from it, so that it is refused for root. Memory is what each process
writes to (`RLIMIT_DATA`): what is only reserved, as JavaScript engines do, does not count.
"""

from __future__ import annotations

import os
import shutil

from kitty_run.errors import LaunchError
from kitty_run.profile.limits import Resources

COMMAND = "prlimit"


def limited(resources: Resources) -> tuple[str, ...]:
    """What goes before a command inside the sandbox; nothing where `resources` limits nothing.

    Raises LaunchError where it can't be held here.
    """
    given = {
        "data": resources.memory,
        "nproc": resources.processes,
        "nofile": resources.open_files,
        "fsize": resources.file_size,
    }
    options = tuple(f"--{name}={value}" for name, value in given.items() if value is not None)
    if not options:
        return ()
    if (reason := not_held(resources)) is not None:
        raise LaunchError(reason)
    return COMMAND, "--core=0", *options, "--"


def not_held(resources: Resources) -> str | None:
    """Why `resources` can't be held on this machine, for this user; None: they can."""
    if resources == Resources():
        return None
    if shutil.which(COMMAND) is None:
        return f"`resources` needs the command {COMMAND}: install the package util-linux"
    if resources.processes is not None and os.geteuid() == 0:
        return "`resources.processes` can't be held for root: run kitty-run as another user, or leave it out"
    return None
