"""Patterns of a profile, searched in what agents wrote: in bounded time, whatever the two make of each other.

Searches that may take long are made by a helper process (`pattern_worker`), which is ended when it uses more
processor time than it may. It is kept for the next search, and ends with this process.
"""

from __future__ import annotations

import atexit
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from kitty_run.text.pattern_worker import answer

SECONDS = 10.0
"""Processor time of one pattern on one attempt's logs."""
PROBE_SECONDS = 0.5
"""Processor time of one pattern on short texts that are made to be hard for it."""

_SMALL = 2048
_REPEATS = re.compile(r"(?<!\()[*+?{]")
_REPEATED_GROUP = re.compile(r"\)(?:[*+]|\{\d*,)")
_ATOMS = re.compile(r"\\?[^\s()\[\]{}|*+?^$.\\]")

Groups = Mapping[str, str | None]


class Late(Exception):
    """The search used more processor time than it may; nobody knows what it would have found."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"took more than {seconds:g} s of processor time")


@dataclass(frozen=True, slots=True)
class Found:
    """A match: its named groups, its text, and the lines in which it is (their last 64 Ki characters)."""

    groups: Groups
    text: str
    lines: str


def last_in(pattern: str, paths: Sequence[Path], *, limit: int | None = None) -> Found | None:
    """The last match in the logs `paths`, or None; raises `Late`.

    `limit` are the bytes at the end of each log that are searched; None: all of them.
    """
    names = [str(path) for path in paths]
    searched = {"whole": names} if limit is None else {"last": names, "limit": limit}
    reply = _asked({"pattern": pattern, **searched}, sum(map(_size, paths)))
    groups = _groups(reply)
    return None if groups is None else Found(groups, reply["text"], reply["lines"])


def last_in_message(pattern: str, path: Path, limit: int) -> Groups | None:
    """The named groups of the last match in the last `limit` bytes of `path` without terminal sequences.

    None where there is none; raises `Late`.
    """
    return _groups(_asked({"pattern": pattern, "message": str(path), "limit": limit}, _size(path)))


def lines_with(pattern: str, path: Path, keys: Iterable[str]) -> list[tuple[int, int]]:
    """Offset and length of each line that has one of `keys` in it and matches; raises `Late`."""
    found = _asked({"pattern": pattern, "lines": str(path), "keys": list(keys)}, _size(path))
    return [(offset, length) for offset, length in found["at"]]


def is_endless(pattern: str) -> bool:
    """Whether `pattern` backtracks without end on a short text made of its own characters."""
    if not _REPEATED_GROUP.search(pattern):
        return False
    atoms = [atom[-1] for atom in _ATOMS.findall(pattern)]
    characters = dict.fromkeys([*"aA0 \t-_.,:;/\"'", *atoms[:60]])
    starts, ends = ("", *_beginning(pattern)), ("\x01", "  \x01", "\n")
    texts = [start + each * 40 + end for each in characters for start in starts for end in ends]
    try:
        _asked({"pattern": pattern, "texts": texts}, sys.maxsize, PROBE_SECONDS)
    except Late:
        return True
    return False


def _beginning(pattern: str) -> tuple[str, ...]:
    """The letters that the pattern begins with: without them it would not even begin to match."""
    found = re.match(r"\^?((?:[\w \"':=-]|\\[^\w])+)", pattern)
    return (re.sub(r"\\(.)", r"\1", found[1]),) if found else ()


def _groups(reply: Mapping[str, Any]) -> Groups | None:
    found: Groups | None = reply["found"]
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _asked(request: dict[str, Any], size: int, seconds: float | None = None) -> dict[str, Any]:
    if _is_quick(request["pattern"], size):
        return answer(request)
    return _HELPER.ask({**request, "seconds": seconds or SECONDS})


def _is_quick(pattern: str, size: int) -> bool:
    """Whether the search takes no time to speak of, whatever the text: it stays in this process."""
    if pattern.count("(") > 4 or _REPEATED_GROUP.search(pattern):
        return False
    repeats = len(_REPEATS.findall(pattern))
    return repeats == 0 or (repeats <= 2 and size <= _SMALL)


class _Helper:
    """The process, made when it is first needed, and again after one was too late."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One request; raises `Late`."""
        with self._lock:
            process = self._process or self._start()
            with suppress(OSError):  # it is gone: so is its answer
                print(json.dumps(request), file=process.stdin, flush=True)
            reply = process.stdout.readline() if process.stdout else ""
            if not reply:
                self.end()
                raise Late(request["seconds"])
        found: dict[str, Any] = json.loads(reply)
        return found

    def _start(self) -> subprocess.Popen[str]:
        worker = Path(__file__).with_name("pattern_worker.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            text=True,
            encoding="utf-8",
            start_new_session=True,  # ^C is the runner's to handle
        )
        return self._process

    def end(self) -> None:
        """End the process; safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


_HELPER = _Helper()
atexit.register(_HELPER.end)
