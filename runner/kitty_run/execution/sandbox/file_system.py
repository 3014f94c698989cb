"""What a confined process sees of the file system: system files, programs, its workspace, and listed paths.

Everything else is not there. The home directory is an empty one of its own; so are temporary directories.
Paths are those of the machine. Later mounts lie over earlier ones: the order is from the general to the
particular.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kitty_run.execution.sandbox.programs import Surroundings, installations
from kitty_run.git.layout import git_dir

SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "opt", "nix", "gnu", "sys")
"""At the root, read-only: what a distribution installs."""
ALSO = ("/var/lib/ca-certificates", "/run/current-system")
"""Elsewhere, where there are such: certificates (openSUSE), programs (NixOS)."""
RESOLVERS = ("/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf")
"""What `/etc/resolv.conf` may lead to: without it, no name would be found."""
EMPTY = ("/tmp", "/var/tmp", "/run", "/dev/shm")  # noqa: S108 - they are hidden, not used
"""Temporary files, and the sockets of daemons and sessions."""
KERNEL = ("sys", "sysrq-trigger", "irq", "bus", "fs", "mtrr", "acpi", "scsi", "pressure")
"""Below `/proc`, what a process of root could write to without any capability."""
LOGINS = (
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".gem/credentials",
    ".npmrc",
    ".yarnrc.yml",
    ".config/pip",
    ".pypirc",
    ".netrc",
    ".git-credentials",
    ".ssh",
    ".gnupg",
)
"""Of the home directory: not there even where a directory that holds one is."""
STATE = ".kitty-run"
WORKTREES = ".worktrees"


@dataclass(frozen=True, slots=True)
class View:
    """What is seen. `workspace` can be written if `writable`; `readable` and `writes` are further paths."""

    workspace: Path
    writable: bool
    home: Path | None = None
    readable: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    names: bool = True
    """Whether names are resolved inside."""
    programs: tuple[str, ...] = ()
    """What is started beside the program itself, by its whole path."""
    room: int | None = None
    """Bytes that each temporary directory may hold; None: half of the machine's memory."""


def confined_files(view: View, program: str, env: Mapping[str, str]) -> Iterator[str]:
    """Bubblewrap's arguments: nothing is there but what `view` names, and what `program` needs to start."""
    yield from _system()
    yield from ("--dev", "/dev", *_kernel(), *_empty(EMPTY, view.room))
    for path in (*ALSO, *(RESOLVERS if view.names else ())):
        yield from _paths("--ro-bind-try", path)
    if view.home is not None:
        yield from _empty((str(view.home),), view.room)
    programs = tuple(_programs(view, program, env))
    for path in programs:
        yield from _paths("--ro-bind-try", path)
    yield from _without_logins(view, programs)
    yield from _repository(view)
    yield from _workspace(view)
    for path in view.readable:
        yield from _paths("--ro-bind-try", path)
    for path in view.writes:
        yield from _paths("--bind-try", path)


def open_files(view: View, program: str, env: Mapping[str, str]) -> Iterator[str]:
    """Bubblewrap's arguments where the policy asks nothing of files: it hides sockets and the run's state."""
    yield from ("--bind", "/", "/", "--ro-bind", "/sys", "/sys", "--dev", "/dev", *_kernel())
    needed = (view.home, _root(view.workspace) or view.workspace, *_programs(view, program, env))
    for directory in (one for one in EMPTY if one != "/dev/shm"):  # noqa: S108 - it is compared
        yield from _empty((directory,), view.room)
        for path in needed:
            if path is not None and path.is_relative_to(directory):
                yield from _paths("--bind-try", path)
    for resolver in RESOLVERS if view.names else ():
        yield from _paths("--ro-bind-try", resolver)
    state = (_root(view.workspace) or view.workspace) / STATE
    if state.is_dir():
        yield from _empty((str(state),))
    for path in (*view.readable, *view.writes):
        yield from _paths("--bind-try", path)


def _system() -> Iterator[str]:
    for path in (Path("/", name) for name in SYSTEM):
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from _paths("--ro-bind", path)
    for private in _private() if os.geteuid() == 0 else ():
        yield from ("--ro-bind", "/dev/null", private)


@cache
def _private() -> tuple[str, ...]:
    """Files of `/etc` that only root or a group may read: root, even without its capabilities, owns them."""
    found = []
    for folder, _, names in os.walk("/etc"):
        for path in (os.path.join(folder, name) for name in names):  # noqa: PTH118 - many
            try:
                status = os.lstat(path)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and not status.st_mode & stat.S_IROTH:
                found.append(path)
    return tuple(found)


def _kernel() -> Iterator[str]:
    yield from ("--proc", "/proc")
    for path in (f"/proc/{name}" for name in KERNEL):
        yield from _paths("--ro-bind-try", path)


def _programs(view: View, program: str, env: Mapping[str, str]) -> Iterator[Path]:
    around = Surroundings(view.home, view.workspace)
    system = tuple(Path("/", name) for name in SYSTEM)
    found = (path for one in (program, *view.programs) for path in installations(one, env, around))
    for path in dict.fromkeys(found):
        if not any(path.is_relative_to(one) for one in system):
            yield path


def _without_logins(view: View, shown: Iterable[Path]) -> Iterator[str]:
    for path in (view.home / name for name in LOGINS) if view.home else ():
        if any(path.is_relative_to(one) for one in shown) and path.exists():
            yield from _empty((str(path),)) if path.is_dir() else ("--ro-bind", "/dev/null", str(path))


def _repository(view: View) -> Iterator[str]:
    """Of the repository of a worktree, its history and the host's documents; not the run's state."""
    if (root := _root(view.workspace)) is not None:
        yield from _paths("--ro-bind-try", root / ".git")
        yield from _paths("--ro-bind-try", root / "kitty-specs")


def _workspace(view: View) -> Iterator[str]:
    workspace = view.workspace
    yield from _paths("--bind" if view.writable else "--ro-bind", workspace)
    for name in (STATE, WORKTREES):
        if (workspace / name).is_dir():  # the root checkout is a workspace, too
            yield from _empty((str(workspace / name),))
    if view.writable:
        # A `.git` that leads elsewhere would have the runner's own git run what that place's settings say.
        for name in (".git", "kitty-specs"):
            yield from _paths("--ro-bind-try", workspace / name)


def _root(workspace: Path) -> Path | None:
    """The root of the repository that the worktree `workspace` belongs to: where its file `.git` leads."""
    if not (workspace / ".git").is_file():
        return None  # no worktree, but a checkout of its own
    directory = git_dir(workspace)
    return directory.parents[2] if directory.parent.name == "worktrees" else None


def _empty(directories: Iterable[str], room: int | None = None) -> Iterator[str]:
    for directory in directories:
        yield from () if room is None else ("--size", str(room))
        yield from ("--tmpfs", directory)


def _paths(option: str, path: Path | str) -> tuple[str, str, str]:
    return option, str(path), str(path)
