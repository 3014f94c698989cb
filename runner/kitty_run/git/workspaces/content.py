"""Files that `git add` does not take, put into an index: of nested repositories, and very large ones."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kitty_run.git.command import Git

INNER = "dot-git"
"""What a `.git` inside the worktree is called in a tree: git allows no other name."""


async def add_repositories(scratch: Git, directories: Sequence[str]) -> None:
    """Put all files of the git repositories in `directories` into the index, as plain files."""
    files = [path for directory in directories for path in _files(scratch.cwd, directory.rstrip("/"))]
    await _add(scratch, {_renamed(path): scratch.cwd / path for path in files})


async def add_markers(scratch: Git, paths: Iterable[str]) -> None:
    """Put a marker with size and time of each file into the index, in the place of its content."""
    with tempfile.TemporaryDirectory(prefix="kitty-run-markers-") as folder:
        marked = {}
        for number, path in enumerate(paths):
            known = (scratch.cwd / path).lstat()
            marked[path] = Path(folder) / str(number)
            marked[path].write_text(f"{known.st_size} bytes, {known.st_mtime_ns}\n", encoding="utf-8")
        await _add(scratch, marked)


def _files(root: Path, directory: str) -> Iterator[str]:
    """All regular files and symbolic links below, but for git's own locks and pipes of programs."""
    for folder, directories, names in os.walk(root / directory):
        links = [name for name in directories if (Path(folder) / name).is_symlink()]
        for name in (*names, *links):
            path = Path(folder) / name
            if path.is_symlink() or path.is_file():
                yield path.relative_to(root).as_posix()


def _renamed(path: str) -> str:
    return "/".join(INNER if part.lower() == ".git" else part for part in path.split("/"))


async def _add(scratch: Git, files: dict[str, Path]) -> None:
    """Put `files` (by their path in the index) into it, unfiltered; nothing in the way of them stays."""
    if not files:
        return
    with tempfile.TemporaryDirectory(prefix="kitty-run-links-") as folder:
        sources = [_readable(path, Path(folder) / str(at)) for at, path in enumerate(files.values())]
        listed = "".join(f"{_quoted(str(source))}\n" for source in sources)
        names = (
            await scratch.run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=listed)
        ).split()
    entries = (
        f"{_mode(source)} {blob}\t{path}\0" for (path, source), blob in zip(files.items(), names, strict=True)
    )
    await scratch.run("update-index", "--add", "--replace", "-z", "--index-info", stdin="".join(entries))


def _readable(path: Path, place: Path) -> Path:
    """A file with the content that git keeps of `path`: of a link, where it leads."""
    if not path.is_symlink():
        return path
    place.write_bytes(os.fsencode(path.readlink()))
    return place


def _mode(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "120000"
    return "100755" if mode & stat.S_IXUSR else "100644"


def _quoted(path: str) -> str:
    """As `git hash-object --stdin-paths` reads it: quoted where it would end or begin a line wrongly."""
    if "\n" not in path and not path.startswith('"'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
