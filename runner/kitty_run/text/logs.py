"""Reading an attempt's logs in bounded memory, however large they are; all of it blocks.

Text is searched in pieces of at least `CHUNK` bytes that end at a line's end where there is one; each piece
repeats the last `OVERLAP` bytes of the one before, so that a match which is shorter than that is never cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

CHUNK = 1024 * 1024
OVERLAP = 64 * 1024
GONE = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError)
"""Errors of a log that an agent took away: it counts as empty. Others are the machine's, and are raised."""
LINE_LIMIT = 8 * 1024 * 1024
"""Bytes of the longest line that is looked at as a JSON document."""


def pieces(path: Path) -> Iterator[str]:
    """The text of `path` in overlapping pieces; nothing where it does not exist."""
    try:
        file = path.open("rb")
    except GONE:
        return
    with file:
        kept = b""
        while block := file.read(CHUNK):
            block += file.readline(CHUNK)
            yield _text(kept + block)
            kept = _last_lines(block)


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of `path` that are no longer than `LINE_LIMIT`, split at LF only, each with its offset."""
    try:
        file = path.open("rb")
    except GONE:
        return
    with file:
        whole, offset = True, 0
        while line := file.readline(LINE_LIMIT):
            ended = line.endswith(b"\n")
            if whole and (ended or len(line) < LINE_LIMIT):
                yield offset, line
            whole = ended
            offset += len(line)


def spans(path: Path, places: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    """The pieces of `path` at `places`, each an offset and a length; nothing where it does not exist."""
    try:
        file = path.open("rb")
    except GONE:
        return
    with file:
        for offset, length in places:
            file.seek(offset)
            yield file.read(length)


def last_line(path: Path, limit: int) -> int:
    """How far from its end the last line of `path` that is not blank begins, with the line end before it.

    At most `limit` bytes, and one, are looked at.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - limit))
            content = file.read(limit)
    except GONE:
        return 0
    return len(content) - content.rstrip().rfind(b"\n")


def tail(path: Path, limit: int) -> str:
    """The last `limit` bytes of `path` as text (replacing what is not UTF-8), from a line's start on."""
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, 2) - limit)
            file.seek(start)
            content = file.read(limit)
    except GONE:
        return ""
    if start and b"\n" in content:
        content = content.partition(b"\n")[2]
    return _text(content)


def _text(content: bytes) -> str:
    return content.decode("utf-8", errors="replace")


def _last_lines(block: bytes) -> bytes:
    kept = block[-OVERLAP:]
    return kept.partition(b"\n")[2] if len(block) > OVERLAP and b"\n" in kept[:-1] else kept
