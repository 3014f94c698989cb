"""Logs without end: the beginning and the end of each are kept, so that no agent can fill the disk with one.

While the process writes, the disk space of what is in between is given back to the file system (a hole in the
file, which costs the writer nothing, and loses nothing that it writes meanwhile). When it has ended, the log
is written anew without the hole, and a line says what was left out.
"""

from __future__ import annotations

import ctypes
import errno
import os
from contextlib import suppress
from pathlib import Path

PUNCH_HOLE, KEEP_SIZE = 2, 1
"""Modes of fallocate(2)."""
BEGINNING = 4
"""One part in so many of a log that is kept is its beginning; the rest is its end, where the result is."""
SHORTEST, COPY = 0.05, 1024 * 1024
"""Seconds between two looks at a log that grows fast, and bytes that are copied at once."""


class LimitedLog:
    """The log in `path`, of which at most about `limit` bytes stay on the disk. `file` is open for writing.

    What an agent puts in the log's place is never touched: it may be a link to anything.
    """

    def __init__(self, path: Path, file: int, limit: int) -> None:
        self._path, self._limit = path, limit
        self._file = os.dup(file)
        self._first = limit // BEGINNING
        self._hole = self._first
        self._size = 0
        self.pause = float("inf")
        """Seconds after which it is to be looked at again."""

    def look(self, passed: float) -> None:
        """Give back what is over the limit; `passed` are the seconds since the last look. Never raises."""
        with suppress(OSError):
            size = os.fstat(self._file).st_size
            rate = (size - self._size) / max(passed, SHORTEST)
            self._size = size
            self.pause = max(self._limit / (4 * rate), SHORTEST) if rate > 0 else float("inf")
            end = size - (self._limit - self._first)
            if end > self._hole and _punch(self._file, self._first, end):
                self._hole = end

    def close(self) -> int:
        """Write the log anew where it is over the limit; how many bytes of it were left out.

        Blocks. To be called once the process and all that it started have ended. Where there is no room to
        write it anew, it stays as it is, with its hole. Never raises.
        """
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            size = os.fstat(self._file).st_size
            if size <= self._limit or not self._is_there():
                return 0
            new.unlink(missing_ok=True)
            return self._shorten(size, new)
        except OSError:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            return 0
        finally:
            os.close(self._file)

    def _is_there(self) -> bool:
        try:
            there, own = os.lstat(self._path), os.fstat(self._file)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino)

    def _shorten(self, size: int, new: Path) -> int:
        """Whole lines are kept, where lines are not longer than `COPY`."""
        with open(self._path, "rb") as log, open(new, "xb", opener=_private) as kept:  # noqa: PTH123
            for _ in range(self._first // COPY):
                kept.write(log.read(COPY))
            block = log.read(self._first % COPY)
            kept.write(block[: block.rfind(b"\n") + 1] or block)
            begun = kept.tell()
            log.seek(size - (self._limit - self._first))
            block = log.read(COPY)
            block = block.partition(b"\n")[2] or block
            left_out = log.tell() - len(block) - begun
            kept.write(f"\n[kitty-run left out {left_out} bytes here: `limits.log_mb`]\n".encode())
            while block:
                kept.write(block)
                block = log.read(COPY)
        new.replace(self._path)
        return left_out


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _punch(file: int, begin: int, end: int) -> bool:
    """Whether the disk space from `begin` to `end` was given back: not every file system can."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
    if call is None:
        return False
    call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    done = call(file, PUNCH_HOLE | KEEP_SIZE, begin, end - begin) == 0
    return done or ctypes.get_errno() == errno.EINTR
