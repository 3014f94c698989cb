"""How an attempt ended whose runner was killed before it: left by its supervisor for the next run.

The record is a file beside the attempt's log, made by whoever comes first: by the supervisor with the exit
code when the command ends, or by the next run, which makes it empty before it ends what is still at work. So
an agent that was cut off never counts as one that came to its end.

An agent that is not confined can write such a file itself, its own or another attempt's. That gains it
nothing: it could as well exit with that status, and what counts as ended well goes through the output gate,
the checks and the review like all work. Only success is taken from it, and never a verdict.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

LONGEST = 100
_LINE = re.compile(rb"(\d{1,3}) (\d{1,12}\.\d{3})\n")


def path_beside(log: Path) -> Path:
    """The record of the attempt that writes `log`."""
    return log.with_suffix(".exit")


def cut_off(record: Path) -> None:
    """Say that whatever is still at work was cut off; nothing where it came to its end before."""
    with suppress(OSError):
        os.close(os.open(record, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def read(record: Path) -> tuple[int, float] | None:
    """The exit status and the seconds in `record`; None where the command did not end by itself. Blocks."""
    try:
        file = os.open(record, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            return None
        line = _LINE.fullmatch(os.read(file, LONGEST))
    finally:
        os.close(file)
    return None if line is None else (int(line[1]), float(line[2]))
