"""Which files are too large for git to be asked about them: it would compress them for minutes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

MEGABYTE = 1024 * 1024
FILE_LIMIT, ALL_LIMIT = 100 * MEGABYTE, 500 * MEGABYTE
"""Bytes of one file, and of all files together, that are read without being asked for."""


def size(path: Path) -> int:
    """Bytes of the file or link `path` as `stat` has it, holes included; of a directory, of all in it."""
    try:
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        return sum(size(entry) for entry in path.iterdir())
    except OSError:
        return 0


def measure(root: Path, paths: Mapping[str, int]) -> dict[str, int]:
    """The sizes of `paths` below `root`, or what is known of them if that is more."""
    return {path: max(known, size(root / path)) for path, known in paths.items()}


def beyond(measured: Mapping[str, int], *, file: int = FILE_LIMIT, all_: int = ALL_LIMIT) -> dict[str, int]:
    """Those of `measured` (path to size) that are too large: by themselves, or as the largest of too much."""
    found, free = dict[str, int](), all_
    for path, bytes_ in sorted(measured.items(), key=lambda item: (item[1], item[0])):
        if bytes_ > file or bytes_ > free:
            found[path] = bytes_
        else:
            free -= bytes_
    return dict(sorted(found.items(), key=lambda item: -item[1]))
