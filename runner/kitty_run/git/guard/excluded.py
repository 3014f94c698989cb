"""Paths of worktrees that git is not to see: lines between two marks in the repository's `info/exclude`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

EXCLUDE = "info/exclude"
"""Below the git directory that all worktrees share."""
BEGIN = b"# kitty-run: what `workspace.copy` and `workspace.setup` of its profile leave in worktrees"
END = b"# kitty-run: end"


def with_paths(data: bytes, paths: Iterable[str]) -> bytes:
    """`data`, the file's content, with a line for each of `paths`; a directory's has a slash at its end.

    What is there stays, and nothing changes where all of them are there.
    """
    lines = data.splitlines()
    start = lines.index(BEGIN) if BEGIN in lines else len(lines)
    stop = lines.index(END, start) if END in lines[start:] else len(lines)
    known = lines[start + 1 : stop]
    new = [line for line in map(pattern, paths) if line not in known]
    if not new:
        return data
    block = [BEGIN, *known, *dict.fromkeys(new), END]
    return b"\n".join([*lines[:start], *block, *lines[stop + 1 :]]) + b"\n"


def without_paths(data: bytes) -> bytes:
    """`data`, the file's content, without the lines between the marks."""
    lines = data.splitlines()
    start = lines.index(BEGIN) if BEGIN in lines else len(lines)
    stop = lines.index(END, start) if END in lines[start:] else len(lines)
    return b"".join(line + b"\n" for line in (*lines[:start], *lines[stop + 1 :]))


def pattern(path: str) -> bytes:
    """The line that matches `path` only, relative to the worktree."""
    escaped = re.sub(rb"([\\*?\[])", rb"\\\1", os.fsencode(path))
    return b"/" + re.sub(rb" +$", lambda found: found[0].replace(b" ", b"\\ "), escaped)
