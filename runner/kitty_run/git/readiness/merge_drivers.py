"""Merge drivers that a repository's attributes name for some folders, and that its configuration lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.git.command import Git
from kitty_run.git.layout import common_dir, git_dir

BUILT_IN = frozenset({"text", "binary", "union"})
"""Drivers that git has without a configuration."""
SIZE_LIMIT = 1 << 20
"""Bytes of a file of attributes that are read."""


async def unregistered(root: Path, folders: Collection[str]) -> tuple[str, ...]:
    """The drivers that the attributes of the checkout `root` name for files below `folders` (top folders of
    it), and that git does not know: it merges those files line by line instead, which they are not made for.
    """
    named = dict.fromkeys(name for path in _files(root) for name in _drivers(path, folders))
    if not named:
        return ()
    reply = await Git(root).call("config", "--null", "--name-only", "--get-regexp", r"^merge\..*\.driver$")
    known = {key.removeprefix("merge.").removesuffix(".driver") for key in reply.stdout.split("\0")}
    return tuple(name for name in named if name not in known | BUILT_IN)


def _files(root: Path) -> Iterator[Path]:
    yield root / ".gitattributes"
    try:
        yield common_dir(git_dir(root)) / "info" / "attributes"
    except WorkspaceError:
        return


def _drivers(path: Path, folders: Collection[str]) -> Iterator[str]:
    if not path.is_file():
        return
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = file.read(SIZE_LIMIT).splitlines()
    except OSError:
        return
    for line in lines:
        pattern, *attributes = line.split() or [""]
        if pattern.strip('"').lstrip("/").partition("/")[0] not in folders:
            continue
        for attribute in attributes:
            name, _, value = attribute.partition("=")
            if name == "merge" and value:
                yield value
