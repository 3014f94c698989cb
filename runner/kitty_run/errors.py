"""The one tree of expected errors, and the exit statuses of the command line.

An expected error carries a message for the person who must act. Whatever else is raised is a bug:
`cli.main` reports it with a traceback and exit status 70.
"""

from __future__ import annotations

from enum import IntEnum


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
    """A gate waits for a person, a limit was reached, a retry row pauses, or the machine has no room; run
    again to continue."""
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


class LaunchError(KittyRunError):
    """The surroundings of an attempt are not fit to start it: workspace, prompt file, log file, argv size."""
