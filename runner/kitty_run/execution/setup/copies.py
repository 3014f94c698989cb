"""Files of the root checkout that git doesn't track, copied into a worktree: never from or to elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from kitty_run.git.workspaces.fingerprint import below, fingerprint
from kitty_run.machine import fault_of

FORBIDDEN = frozenset({".git", ".kitty-run", ".worktrees", "kitty-specs"})
"""First parts of paths that are not the profile's to copy."""


class NotCopied(Exception):
    """Something can't be copied; the message is for whoever wrote the profile."""


def problems(root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Why some of `paths` can't be copied from the repository at `root`; nothing where all of them can."""
    found = []
    for path in paths:
        try:
            list(files(root, path))
        except NotCopied as problem:
            found.append(str(problem))
    return tuple(found)


def files(root: Path, path: str) -> Iterator[str]:
    """The regular files at or below `path`, relative to `root`; raises `NotCopied`."""
    path = path.rstrip("/")
    real, top = os.path.realpath(root / path), os.path.realpath(root)
    inside = Path(os.path.relpath(real, top)).parts or (os.curdir,)
    if inside[0] in {os.pardir, os.curdir} or inside[0].lower() in FORBIDDEN:
        raise NotCopied(f"{root / path} leads to {real}: only files of the repository itself are copied")
    if os.path.isfile(real):  # noqa: PTH113 - of a real path
        yield path
        return
    if not os.path.isdir(real):  # noqa: PTH112
        what = "is neither a file nor a directory" if os.path.lexists(real) else "is not there"
        raise NotCopied(f"{root / path} {what}: make it, or take it out of `workspace.copy`")
    for folder, directories, names in os.walk(real, onerror=_unreadable):
        for name in (*names, *directories):
            entry = Path(folder, name)
            if entry.is_symlink():
                raise NotCopied(f"{entry} is a link: name what it leads to in `workspace.copy` instead")
        for name in names:
            if Path(folder, name).is_file():
                yield f"{path}/{Path(folder, name).relative_to(real).as_posix()}"


def content(root: Path, path: str) -> str:
    """What is to be copied of the file `path`, which is below `root` by its real path."""
    real, top = os.path.realpath(root / path), Path(os.path.realpath(root))
    return fingerprint(top, os.path.relpath(real, top)) or ""


def copy(root: Path, path: str, worktree: Path) -> None:
    """Have the file `path` in the worktree as it is at `root`; raises `NotCopied` and `MachineFault`."""
    target = worktree / path
    if not below(worktree, path):
        raise NotCopied(f"{target.parent} leads elsewhere: {path} is not copied through a link")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir() and not target.is_symlink():
            raise NotCopied(f"{target} is a directory there: {path} is not copied over it")
        _write(Path(os.path.realpath(root / path)), target)
    except OSError as error:
        if fault := fault_of(error, target):
            raise fault from error
        raise NotCopied(f"{root / path} can't be copied to {target}: {error.strerror}") from error


def _write(source: Path, target: Path) -> None:
    """Put the file in the place of the other at once; a link there is replaced, not followed."""
    draft = target.with_name(f".{target.name}.kitty-run-{os.getpid()}")
    with source.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        with suppress(FileNotFoundError):
            draft.unlink()
        descriptor = os.open(
            draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        with os.fdopen(descriptor, "wb") as copied:
            while block := file.read(1 << 20):
                copied.write(block)
            os.fchmod(copied.fileno(), mode)
    draft.replace(target)


def _unreadable(error: OSError) -> None:
    raise NotCopied(f"{error.filename} can't be read: {error.strerror}") from error
