"""The one tree of expected errors, and the exit statuses of the command line.

An expected error carries a message for the person who must act. Whatever else is raised is a bug:
`cli.main` reports it with a traceback and exit status 70.
"""

from __future__ import annotations

import errno
from enum import IntEnum
from pathlib import Path


class ExitStatus(IntEnum):
    """What the command's exit status means (see `docs/cli.md`)."""

    OK = 0
    INCOMPLETE = 1
    """The run ended, but some work packages are blocked, failed or held by others."""
    USAGE = 2
    """Wrong usage, or the profile is not valid; nothing was started."""
    HOST = 3
    """The host is missing, incompatible or unreadable."""
    PAUSED = 4
    """A gate waits for a person, a limit was reached, or a retry row pauses; run again to continue."""
    BUG = 70
    """An unexpected exception: EX_SOFTWARE of sysexits(3)."""
    INTERRUPTED = 130


class KittyRunError(Exception):
    """Base of every expected error; `str(error)` is the whole message for the user."""

    exit_status: ExitStatus = ExitStatus.INCOMPLETE


class UsageError(KittyRunError):
    """The command line, the repository or the surroundings are not fit to start a run."""

    exit_status = ExitStatus.USAGE


class HostError(KittyRunError):
    """The host could not be used at all: missing, incompatible or unreadable."""

    exit_status = ExitStatus.HOST


class WorkspaceError(KittyRunError):
    """Git refused something in a workspace or at the root checkout; names the path and git's words."""


class JournalError(KittyRunError):
    """The journal could not be written or read (disk full, no permission, damaged file)."""


class MachineFault(JournalError):
    """The machine has no room left for the runner's own files: nobody's work failed, the run pauses."""

    exit_status = ExitStatus.PAUSED

    @classmethod
    def of(cls, path: Path, error: OSError) -> MachineFault:
        """For `path`, which could not be written."""
        place = _mount(path)
        return cls(
            f"{path} can't be written: {error.strerror} (file system {place}). The run pauses here, and "
            f"nothing was blocked for it. Make room (df -h {place}) and start the same command again: "
            "it continues."
        )


def out_of_room(error: OSError) -> bool:
    """Whether a full disk or a used up quota is the cause."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def _mount(path: Path) -> Path:
    """Where the file system of `path` is mounted."""
    path = path.absolute()
    return next((place for place in (path, *path.parents) if place.is_mount()), Path(path.anchor))


class LaunchError(KittyRunError):
    """The surroundings of an attempt are not fit to start it: workspace, prompt file, log file, argv size."""
