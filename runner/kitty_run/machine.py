"""The machine's own failures: no room, a failing disk, no descriptors. The run pauses."""

from __future__ import annotations

import errno
import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from kitty_run.errors import ExitStatus, JournalError, KittyRunError

OF_THE_MACHINE = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO),
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN),
    }
)
"""Causes that are the machine's whatever was done: no room, a failing disk, no descriptors, no memory."""
ADVICE = {
    errno.ENOSPC: "Make room (`df -h {place}`, `df -i {place}`)",
    errno.EDQUOT: "Make room in your quota (`quota -s`, `du -xsh {place}`)",
    errno.EFBIG: "Allow larger files (`ulimit -f unlimited`)",
    errno.EROFS: "Have it mounted writable again (`findmnt -T {place}`)",
    errno.EIO: "Look what the kernel says of the disk (`dmesg | tail`)",
    errno.EMFILE: "Allow more open files (`ulimit -n 4096`)",
    errno.ENFILE: "Allow more open files (`sysctl fs.file-max`)",
    errno.ENOMEM: "Leave more memory to it (`free -m`)",
    errno.EAGAIN: "Allow more processes (`ulimit -u`)",
    errno.EACCES: "Let this user write there (`namei -l {path}`)",
    errno.EPERM: "Let this user write there (`namei -l {path}`)",
}
"""What to do about a cause, with commands that can be pasted."""
PROBE = 64 * 1024
"""Bytes that must find room for a file system not to count as full."""


class MachineFault(KittyRunError):
    """The machine can't do what the runner itself needs: nobody's work failed, and the run pauses."""

    exit_status = ExitStatus.PAUSED

    @classmethod
    def of(cls, path: Path, error: OSError, done: str = "written") -> Self:
        """For `path`, one of the runner's own files that was to be `done`, or the one that `error` names."""
        named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path
        return cls(_message(f"{named} can't be {done}", str(error.strerror or error), error.errno, named))

    @classmethod
    def starting(cls, command: str, cwd: Path, error: OSError) -> Self:
        """For `command`, which could not be started in `cwd`."""
        return cls(_message(f"{command} can't be started", str(error.strerror or error), error.errno, cwd))

    @classmethod
    def said_by(cls, command: str, cwd: Path, words: str) -> Self | None:
        """For what `command` complained of in `cwd` with `words`; None where the machine is not the cause.

        `words` are lines of English that end with the cause, as commands speak with `LC_ALL=C`.
        """
        for line in reversed(words.splitlines()):
            numbers = (one for one in OF_THE_MACHINE - {errno.EAGAIN} if line.endswith(os.strerror(one)))
            number = next(numbers, errno.EACCES if _NO_OBJECTS in line else None)
            if number is not None:
                return cls(_message(f"{command} failed", line[:500], number, cwd))
        return None


class JournalFault(MachineFault, JournalError):
    """The same where the journal itself can't be written: the run ends at once, and is paused."""


_NO_OBJECTS = "insufficient permission for adding an object to repository database"
"""What git says where its object store is not this user's to write."""


@contextmanager
def own_file(path: Path) -> Iterator[None]:
    """Inside, one of the runner's own files is made or written: what keeps it from that is a `MachineFault`.

    `path` is named where the system names none.
    """
    try:
        yield
    except OSError as error:
        raise MachineFault.of(path, error) from error


def fault_of(error: BaseException, place: Path) -> MachineFault | None:
    """What `error` says of the machine, wherever it was raised; None where it says nothing of it.

    `place` is where the runner works, for errors that name no file.
    """
    if isinstance(error, MachineFault):
        return error
    if isinstance(error, OSError) and error.errno in OF_THE_MACHINE:
        return MachineFault.of(place, error, "opened or written")
    return None


def full(*folders: Path) -> MachineFault | None:
    """Why the machine lets nobody write into one of `folders`; None: it does. Blocks, and leaves nothing.

    A folder that is missing, or somebody else's, says nothing of the machine.
    """
    for folder in folders:
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(PROBE))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno in OF_THE_MACHINE:
                return MachineFault.of(folder, OSError(error.errno, error.strerror))
    return None


def _message(what: str, cause: str, number: int | None, path: Path) -> str:
    place = _mount(path)
    todo = ADVICE.get(number or 0, "Look at it (`namei -l {path}`)")
    advice = todo.format(place=shlex.quote(str(place)), path=shlex.quote(str(path)))
    return (
        f"{what}: {cause} (file system {place}). The run pauses: nothing was blocked for it, and no attempt "
        f"counts as failed. {advice}, then start the same command again: it continues."
    )


def _mount(path: Path) -> Path:
    """Where the file system of `path` is mounted."""
    path = path.absolute()
    return next((place for place in (path, *path.parents) if place.is_mount()), Path(path.anchor))
