"""Getting the files of a git source: git, as for a repository that is not trusted.

No prompt, no hook, no submodule, no other transport than the source's own, no checkout; limits on time, size,
memory and what is said; only regular files are read, from git's objects, so that no link can lead anywhere.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from kitty_run.errors import UsageError
from kitty_run.process_group import signal_group
from kitty_run.profile.extends.sources import GitSource, inner_path
from kitty_run.profile.yaml.position import Source
from kitty_run.profile.yaml.reader import MAX_BYTES, read_document
from kitty_run.profile.yaml.tree import ListNode, ScalarNode

TIMEOUT = 60.0
"""Seconds for one source, all of its files together."""
MAX_PACK_BYTES = 256 * 1024 * 1024
"""Of the repository without its history, as it is sent, and of what a server says besides."""
MAX_MEMORY = 2 * 1024 * 1024 * 1024
"""Bytes of address space of each of git's processes."""
MAX_FILES = 100
_NO_MEMORY = ("Out of memory", "out of memory", "Cannot allocate memory")
WORDS = 4096
"""Bytes of git's last words that are read."""
_COMMAND = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "protocol.version=2"),
    *("-c", "gc.auto=0"),
    *("-c", "fsck.zeroPaddedFilemode=ignore"),
    # One pack, so that the limit on a file's size is one on all of it; a few objects would be files each.
    *("-c", "fetch.unpackLimit=1"),
    *("-c", "core.bigFileThreshold=1m"),  # what is larger is passed through, and never held in memory
    *("-c", "pack.threads=1"),
)


class FetchFailed(UsageError):
    """A git source could not be read; says which, why, and what to do."""


def fetch(source: GitSource) -> tuple[str, dict[str, bytes]]:
    """The commit that `source` names now, and its files: its path and what they extend in the same tree."""
    with tempfile.TemporaryDirectory(prefix="kitty-run-") as directory:
        repository = _Repository(Path(directory), source)
        commit = repository.fetch()
        return commit, _used_files(repository, commit)


def _used_files(repository: _Repository, commit: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    waiting = [repository.source.path]
    while waiting:
        path = waiting.pop()
        if path in files:
            continue
        if len(files) >= MAX_FILES:
            raise FetchFailed(f"{repository.source.text}: extends more than {MAX_FILES} files")
        files[path] = repository.read(commit, path)
        waiting += _extended_inside(path, files[path])
    return files


def _extended_inside(path: str, data: bytes) -> list[str]:
    """The files of the same tree that the file `path` extends; problems are reported when it is loaded."""
    root, _ = read_document(Source(path, data.decode("utf-8", "replace")))
    extends = root.get("extends") if root else None
    nodes = extends.items if isinstance(extends, ListNode) else (extends,)
    found = []
    for node in nodes:
        text = node.value if isinstance(node, ScalarNode) else None
        if isinstance(text, str) and text and ":" not in text:
            try:
                found.append(inner_path(path, text))
            except ValueError:
                continue
    return found


class _Repository:
    """A bare repository that is kept for one fetch."""

    def __init__(self, directory: Path, source: GitSource) -> None:
        self.source = source
        self._directory = directory
        self._until = monotonic() + TIMEOUT
        self._git("init", "--quiet", "--bare", ".")
        self._config = (directory / "config").read_bytes()

    def fetch(self) -> str:
        """Get the source's revision, without its history, and return its commit."""
        options = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--filter=blob:limit=1m")
        self._git("fetch", *options, "--end-of-options", self.source.url, self.source.rev)
        # Git notes there where to get what was left out: it would fetch a huge file to say how long it is.
        (self._directory / "config").write_bytes(self._config)
        return self._git("rev-parse", "--verify", "FETCH_HEAD^{commit}").decode().strip()

    def read(self, commit: str, path: str) -> bytes:
        """The content of the regular file `path` in `commit`."""
        entry = self._git("--literal-pathspecs", "ls-tree", "-l", "-z", commit, "--", path).decode(
            "utf-8", "replace"
        )
        mode, _, blob, size = (entry.partition("\t")[0].split() + [""] * 4)[:4]
        where = f"{self.source.label}#{path}"
        if not entry:
            raise FetchFailed(f"{where}: there is no such file in commit {commit[:12]}")
        if mode not in {"100644", "100755"}:
            kind = "a symbolic link" if mode == "120000" else "no regular file"
            raise FetchFailed(f"{where}: is {kind}; a git source reads regular files only")
        if not size.isdecimal() or int(size) > MAX_BYTES:  # none: the server left it out, as it was asked to
            raise FetchFailed(f"{where}: larger than 1 MiB; a profile is a short text")
        return self._git("cat-file", "blob", blob)

    def _git(self, *arguments: str) -> bytes:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            status = self._call(arguments, out, err)
            if status != 0:
                raise FetchFailed(f"{self.source.text}: {_complaint(err, full=self._full(status))}")
            out.seek(0)
            return out.read(MAX_BYTES + 1)

    def _full(self, status: int) -> bool:
        """Whether a file of the repository's has reached its limit: git does not always say so."""
        sizes = (path.stat().st_size for path in self._directory.rglob("*") if path.is_file())
        return status == -signal.SIGXFSZ or any(size >= MAX_PACK_BYTES for size in sizes)

    def _call(self, arguments: tuple[str, ...], out: BinaryIO, err: BinaryIO) -> int:
        """The exit status; what git says goes to files, for a server can have it say without end."""
        try:
            process = subprocess.Popen(
                ["git", *_COMMAND, *arguments],
                cwd=self._directory,
                env=_environment(self.source.scheme),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=_limit,  # noqa: PLW1509 - a command-line program with one thread
            )
        except FileNotFoundError as error:
            raise FetchFailed("git is not installed; git sources need it") from error
        try:
            return process.wait(timeout=max(self._until - monotonic(), 0.0))
        except subprocess.TimeoutExpired as error:
            raise FetchFailed(f"{self.source.text}: no answer within {TIMEOUT:.0f}s") from error
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of git and its helpers (ssh, git-remote-https)."""
    if process.poll() is None:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()


def _limit() -> None:
    """No file and no process of git's grows beyond the limits, whatever a server sends."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_PACK_BYTES, MAX_PACK_BYTES))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


def _environment(scheme: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ssh = "ssh -o BatchMode=yes -o ConnectTimeout=15 -o StrictHostKeyChecking=yes"
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "SSH_ASKPASS_REQUIRE": "never",
        "GCM_INTERACTIVE": "never",
        "GIT_SSH_COMMAND": ssh,
        "GIT_ALLOW_PROTOCOL": scheme,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
    }


def _complaint(words: BinaryIO, *, full: bool) -> str:
    """What git said, on one line, and what to do where that is known."""
    said = words.seek(0, os.SEEK_END)
    words.seek(max(said - WORDS, 0))
    text = " ".join(words.read().decode("utf-8", "replace").split())[-400:] or "git failed without a word"
    if said >= MAX_PACK_BYTES:
        return f"its server said more than {MAX_PACK_BYTES >> 20} MiB besides the repository; ask who runs it"
    if full:
        return (
            f"the repository is larger than {MAX_PACK_BYTES >> 20} MiB without its history; use a smaller one"
        )
    if any(word in text for word in _NO_MEMORY):
        return f"git needs more than {MAX_MEMORY >> 20} MiB of memory for it; use a smaller repository"
    if "could not read Username" in text or "Authentication failed" in text or "Permission denied" in text:
        return f"git may not read it: {text} (set up a credential helper or an ssh key; nobody is asked)"
    if "couldn't find remote ref" in text:
        return f"there is no such revision: {text}"
    return f"git can't fetch it: {text}"
