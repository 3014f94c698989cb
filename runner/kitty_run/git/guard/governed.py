"""The files of a repository that git obeys: configuration, hooks, attributes, and where objects come from."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SHARED = (
    "config",
    "config.worktree",
    "hooks",
    "info",
    "shallow",
    "objects/info/alternates",
    "objects/info/http-alternates",
    "refs/replace",
)
"""Of the git directory that all worktrees share; directories with all that is in them."""
OWN = ("config.worktree", "commondir", "gitdir", "info")
"""Of each linked worktree's git directory."""
CONFIGS = ("config", "config.worktree")
"""Of each submodule's repository."""
LARGEST = 4 << 20
"""Bytes of one file that are kept; what is larger now is none of the user's."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file as it was: its bytes, or where it leads if `link`; `mode` are its permissions."""

    data: bytes
    mode: int
    link: bool = False


State = Mapping[str, KeptFile]
"""Governed files by their path: below the shared git directory, or absolute for what is included."""
Signature = frozenset[tuple[str, int, int, int, int, int]]


def paths(shared: Path, included: tuple[str, ...] = ()) -> Iterator[str]:
    """Every governed file that is there."""
    for name in SHARED:
        yield from _below(shared, name)
    yield from _modules(shared, "modules")
    for own in _names(shared / "worktrees"):
        for name in OWN:
            yield from _below(shared, f"worktrees/{own}/{name}")
        yield from _modules(shared, f"worktrees/{own}/modules")
    yield from (path for path in included if os.path.lexists(path))


def signature(shared: Path, included: tuple[str, ...] = ()) -> Signature:
    """Changes whenever one of the files does: no process can set the time of a change back."""
    return frozenset(_signatures(shared, included))


def read(shared: Path, included: tuple[str, ...] = ()) -> dict[str, KeptFile]:
    """All governed files as they are."""
    found = {}
    for path in paths(shared, included):
        kept = read_one(shared / path)
        if kept is not None:
            found[path] = kept
    return found


def read_one(path: Path) -> KeptFile | None:
    """The file as it is, None where there is none; what is neither file nor link counts as empty."""
    try:
        found = path.lstat()
        mode = stat.S_IMODE(found.st_mode)
        if stat.S_ISLNK(found.st_mode):
            return KeptFile(os.fsencode(path.readlink()), mode, link=True)
        if not stat.S_ISREG(found.st_mode):
            return KeptFile(b"", mode)
        with path.open("rb") as file:
            return KeptFile(file.read(LARGEST + 1), mode)
    except OSError:
        return None


def _signatures(shared: Path, included: tuple[str, ...]) -> Iterator[tuple[str, int, int, int, int, int]]:
    for path in paths(shared, included):
        try:
            found = (shared / path).lstat()
        except OSError:
            continue  # it went meanwhile
        yield path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode


def _modules(shared: Path, at: str) -> Iterator[str]:
    """The configurations of submodules whose repositories are below `at`; their names may have slashes."""
    for name in _names(shared / at):
        here = f"{at}/{name}"
        if not (shared / here / "HEAD").exists():
            yield from _modules(shared, here) if (shared / here).is_dir() else ()
            continue
        yield from (f"{here}/{file}" for file in CONFIGS if os.path.lexists(shared / here / file))
        yield from _modules(shared, f"{here}/modules")


def _below(shared: Path, name: str) -> Iterator[str]:
    try:
        mode = (shared / name).lstat().st_mode
    except OSError:
        return
    if not stat.S_ISDIR(mode):
        yield name
        return
    for entry in _names(shared / name):
        yield from _below(shared, f"{name}/{entry}")


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def put(path: Path, kept: KeptFile | None) -> None:
    """Make the file at `path` what it was, at once, or remove it; raises OSError."""
    if path.is_dir() and not path.is_symlink():
        path.rename(path.with_name(f"{path.name}.found-{time.time_ns()}"))
    if kept is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.kitty-run-{os.getpid()}")
    draft.unlink(missing_ok=True)
    if kept.link:
        draft.symlink_to(os.fsdecode(kept.data))
    else:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(kept.data)
        draft.chmod(kept.mode)
    draft.replace(path)
