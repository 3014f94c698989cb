"""The helper that searches logs for a profile's patterns: run by `patterns` as a process of its own.

A pattern can backtrack without end, and Python's own search can be stopped by the end of its process only. So
each request may use a little processor time, and ends this process where it uses more.

One JSON object a line. Input: `{"pattern", "seconds"}`, and what is searched: `"whole": [path…]`, logs from
their beginnings; `"last": [path…]`, the `"limit"` bytes at the end of each; `"message": path`, the same
without terminal sequences; `"lines": path`, each line in which one of `"keys"` is; `"texts": [text…]`, each
by itself. Output: `{"found": {group: text} | null}`, with its `"text"` and the
`"lines"` around it, or for lines `{"at": [[offset, length]…]}`.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # started without a path to the package
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kitty_run.text import logs
from kitty_run.text.characters import plain

MEMORY = 4 << 30
"""Bytes of address space."""

LINES = 64 * 1024
"""Characters of the lines around a match that are given back."""

Request = dict[str, Any]


def answer(request: Request) -> Request:
    """What one request asks for."""
    if "lines" in request:
        wanted = re.compile(request["pattern"].encode())
        keys = tuple(key.encode() for key in request["keys"])
        return {"at": list(_lines(Path(request["lines"]), keys, wanted))}
    pattern, last = re.compile(request["pattern"], re.MULTILINE), None
    for text in _texts(request):
        for match in pattern.finditer(text):
            last = match
    if last is None:
        return {"found": None}
    return {"found": last.groupdict(), "text": last[0][-LINES:], "lines": _around(last)}


def _around(match: re.Match[str]) -> str:
    """The lines in which `match` is, whole; at most their last `LINES` characters."""
    start = match.string.rfind("\n", 0, match.start()) + 1
    end = match.string.find("\n", match.end())
    return match.string[start : len(match.string) if end < 0 else end][-LINES:]


def _lines(path: Path, keys: tuple[bytes, ...], wanted: re.Pattern[bytes]) -> Iterator[tuple[int, int]]:
    for offset, line in logs.lines(path):
        if any(key in line for key in keys) and wanted.search(line):
            yield offset, len(line)


def _texts(request: Request) -> Iterator[str]:
    for path in request.get("whole", ()):
        yield from logs.pieces(Path(path))
    for path in request.get("last", ()):
        yield logs.tail(Path(path), request["limit"])
    if "message" in request:
        yield plain(logs.tail(Path(request["message"]), request["limit"])).strip()
    yield from request.get("texts", ())


def main() -> None:
    """Answer until the end of input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin:
        request = json.loads(line)
        # The signal's own effect is the end of the process: no handler runs while a search is under way.
        signal.setitimer(signal.ITIMER_PROF, request["seconds"])
        found = answer(request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
