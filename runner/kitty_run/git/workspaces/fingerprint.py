"""What a file of a worktree is, in short: to see whether it is another one than before."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path


def fingerprint(root: Path, path: str) -> str | None:
    """Kind, permission to run and content of the file at `path` below `root`; None where there is none.

    No link is followed, on the way there neither, and nothing but regular files is opened.
    """
    if not below(root, path):
        return None
    try:
        found = (root / path).lstat()
        if stat.S_ISLNK(found.st_mode):
            return f"link {_digest(os.fsencode((root / path).readlink()))}"
        if not stat.S_ISREG(found.st_mode):
            return f"kind {stat.S_IFMT(found.st_mode):o}"
        descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return f"{'program' if found.st_mode & stat.S_IXUSR else 'file'} {content}"


def below(root: Path, path: str) -> bool:
    """Whether the directory of `path` is below `root` as the file system has it: no link leads elsewhere."""
    real, folder = os.path.realpath(root), os.path.dirname(path)  # noqa: PTH120 - of a relative path
    return os.path.realpath(os.path.join(real, folder)) == os.path.normpath(os.path.join(real, folder))  # noqa: PTH118


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
