"""Files of a profile in git repositories: how they are named, and how they are read from a cache.

Only `lockfile.fetch` talks to the network. A run reads what `kitty-run.lock` pins from the user's cache,
and checks its digest first.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

_SOURCE = re.compile(r"git\+(?P<url>(?P<scheme>https|ssh|file)://(?P<rest>[^#\s]+))#(?P<path>[^#\s]+)\Z")
_REV = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*\Z")
_PASSWORD = re.compile(r"[^/@]*:[^/@]*@")


@dataclass(frozen=True, slots=True)
class GitSource:
    """`git+URL@REV#PATH`, taken apart; `text` is the whole of it."""

    text: str
    scheme: str
    url: str
    rev: str
    path: str

    @property
    def label(self) -> str:
        """The source without the path, which its other files share."""
        return self.text.partition("#")[0]


def parse_source(text: str) -> GitSource:
    """The parts of a git source; ValueError (message, newline, hint) where it isn't one."""
    hint = "like git+https://HOST/REPO.git@v1.0#profiles/base.yaml"
    match = _SOURCE.match(text)
    if not match:
        raise ValueError(f"{text!r} is no git source\n{hint}")
    repository, at, rev = match["rest"].rpartition("@")
    if not at or "/" not in repository or not _REV.match(rev) or ".." in rev:
        raise ValueError(f"{text!r} names no revision\n{hint}")
    if match["scheme"] != "file" and _PASSWORD.match(repository):
        raise ValueError("a git source must not hold a password\nlet git's credential helper hold it")
    if repository.startswith("-"):
        raise ValueError(f"{text!r} is no git source\n{hint}")
    path = inner_path("", match["path"])
    return GitSource(text, match["scheme"], f"{match['scheme']}://{repository}", rev, path)


def inner_path(naming: str, text: str) -> str:
    """The path that `text` in the file `naming` of a tree names; ValueError where it leaves the tree."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(naming), text))
    if text.startswith(("/", "~")) or "\\" in text or path.split("/")[0] in {"..", ".", ""}:
        raise ValueError(f"{text!r} leaves the tree of its repository\na git source reads its own files only")
    if path.split("/")[0] == ".git":
        raise ValueError(f"{text!r} is no file of the repository's")
    return path


@dataclass(frozen=True, slots=True)
class Pin:
    """What a source is locked to: a commit, and the digest of its files that are used."""

    source: str
    commit: str
    digest: str


def cache_root() -> Path:
    """Where locked files are kept: below the user's cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "kitty-run" / "sources"


def cached_tree(source: str, commit: str) -> Path:
    """The directory with the files of `source` at `commit` that are used; it may not exist."""
    return cache_root() / hashlib.sha256(source.encode()).hexdigest()[:20] / commit


def tree_digest(files: dict[str, bytes]) -> str:
    """One digest of `files` by path."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(f"{path}\0{hashlib.sha256(files[path]).hexdigest()}\n".encode())
    return f"sha256:{whole.hexdigest()}"


def read_tree(root: Path) -> dict[str, bytes]:
    """The files below `root` by path; symbolic links are not followed, and count as nothing."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
