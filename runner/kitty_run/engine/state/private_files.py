"""The runner's own files are its user's alone: made private, opened without following links, else refused.

An agent's commit, or the repository itself, can bring anything below the runner's directory: links to other
places, files that others may write. Nothing of that kind is ever read or written through.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from kitty_run.errors import UsageError
from kitty_run.text.commands import command

DIRECTORY, FILE = 0o700, 0o600
OTHERS = 0o077
"""The permissions that nobody but the owner may have."""


class ForeignState(UsageError):
    """Something among the runner's own files is not the runner's; nothing was started."""


def make_directory(folder: Path) -> None:
    """Make `folder` in its parent where it is missing, private whatever the umask; raises `ForeignState`."""
    try:
        folder.mkdir(mode=DIRECTORY)
    except FileExistsError:
        check(folder, directory=True)
        if stat.S_IMODE(folder.lstat().st_mode) & OTHERS:
            folder.chmod(DIRECTORY)
    else:
        folder.chmod(DIRECTORY)


def make_directories(base: Path, *names: str) -> Path:
    """The directory `base/name/name…`, each part of it made or checked; `base` itself is there already."""
    check(base, directory=True)
    for name in names:
        base /= name
        make_directory(base)
    return base


def open_file(path: Path, flags: int) -> int:
    """A descriptor of the regular file `path`, private, never through a link; raises `ForeignState`."""
    check(path.parent, directory=True)
    if path.is_symlink():
        check(path, directory=False)
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, FILE)
    try:
        found = os.fstat(descriptor)
        _refuse(path, found, directory=False)
        if stat.S_IMODE(found.st_mode) & OTHERS or flags & os.O_CREAT:
            os.fchmod(descriptor, FILE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_bytes(path: Path) -> bytes:
    """The whole file; raises OSError and `ForeignState`."""
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        return file.read()


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` in the place of the file at once, so that no reader sees a part of it."""
    check(path.parent, directory=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(open_file(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)  # noqa: PTH105 (atomic on purpose)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, however little the system takes at a time; raises OSError."""
    while data:
        data = data[os.write(descriptor, data) :]


def check(path: Path, *, directory: bool) -> None:
    """Raise `ForeignState` where `path` is a link, of another kind, or somebody else's."""
    _refuse(path, path.lstat(), directory=directory)


def make_private(folder: Path) -> tuple[Path, ...]:
    """Take from others every right in the runner's directory `folder`; what of its own had to be changed.

    Raises `ForeignState` for a link, a strange kind of file or another owner where the runner itself reads
    and writes. What lies deeper is looked at, but what agents left there is not refused.
    """
    check(folder, directory=True)
    changed = []
    for path, found, own in _walk(folder, 0):
        if own:
            _refuse(path, found, directory=stat.S_ISDIR(found.st_mode))
        if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
            continue
        if stat.S_IMODE(found.st_mode) & OTHERS:
            path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
            changed += [path] * own  # what agents write has their own umask, behind a private directory
    return tuple(changed)


def _walk(folder: Path, depth: int) -> Iterator[tuple[Path, os.stat_result, bool]]:
    """Everything below, links not followed, with whether the runner itself uses it under this name.

    home (0) has runs and lock, runs (1) the runs, a run (2) its journal and rooms, a room (3) files.
    """
    if depth == 0:
        yield folder, folder.lstat(), True
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            path = Path(entry.path)
            yield path, found, depth < 3 or folder.name == "gates"
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
                yield from _walk(path, depth + 1)


def _refuse(path: Path, found: os.stat_result, *, directory: bool) -> None:
    if stat.S_ISLNK(found.st_mode):
        what, fix = "is a link", f"look where it leads and remove it: {command('rm', path)}"
    elif found.st_uid != os.geteuid():
        what = f"belongs to another user (uid {found.st_uid})"
        fix = f"move it away: {command('mv', path, f'{path}.foreign')}"
    elif (stat.S_ISDIR if directory else stat.S_ISREG)(found.st_mode):
        return
    else:
        what = f"is no {'directory' if directory else 'regular file'}"
        fix = f"move it away: {command('mv', path, f'{path}.foreign')}"
    raise ForeignState(
        f"{path} {what}. kitty-run keeps what it knows of its runs there, and uses only what is its own. "
        f"Nothing was started; {fix}, then run again."
    )
