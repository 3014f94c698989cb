"""Which files a program needs to start where only system files are there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HOPS = 8
"""Symbolic links and first lines that are followed from one program."""
LINE = 512
"""Bytes of a script that its first line may have."""
MODULES = "node_modules"
PACKAGE, LEVELS = ("package.json", MODULES), 4
"""What shows that a folder is a package of Node's, and so many folders above a program are looked at."""
BIN = frozenset({"bin", "sbin", "shims"})
PACKAGED = ("pyvenv.cfg", "lib", "libexec", "versions", "tools")
"""One of these beside a folder of programs says that more is installed than the programs."""
TOOLCHAINS = (".rustup",)
"""Below the home directory, what programs on `PATH` lead to by other means than links."""
OPEN_HOME = (".local", ".config", ".cache", ".local/share", ".local/state")
"""Directories below the home directory that hold much besides programs: never readable as a whole."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What must not become readable with a program: the home directory, and what is around a workspace."""

    home: Path | None
    workspace: Path

    def holds_more(self, folder: Path) -> bool:
        """Whether `folder` holds more than an installation."""
        homes = {self.home, self.home.resolve()} if self.home else set()  # `/home` may be a link
        open_home = {home / name for home in homes for name in OPEN_HOME}
        return folder in open_home or any(one.is_relative_to(folder) for one in (self.workspace, *homes))


def installations(program: str, env: Mapping[str, str], around: Surroundings) -> Iterator[Path]:
    """Where `program` is installed, what its links lead to and its first line names; and all of `PATH`."""
    for folder in map(Path, filter(None, env.get("PATH", "").split(":"))):
        if folder.is_absolute() and folder.is_dir():
            yield from _search_folder(folder, around)
    if around.home is not None:
        yield from (around.home / name for name in TOOLCHAINS)
    for file in _files(program, env, HOPS):
        yield _installation(file, around)


def _search_folder(folder: Path, around: Surroundings) -> Iterator[Path]:
    if not around.holds_more(folder):
        yield folder
    prefix = folder.parent
    packaged = folder.name in BIN and any((prefix / name).exists() for name in PACKAGED)
    if packaged and not around.holds_more(prefix):
        yield prefix


def _files(program: str, env: Mapping[str, str], hops: int) -> Iterator[Path]:
    found = shutil.which(program, path=env.get("PATH"))
    if found is None or hops == 0:
        return
    path = Path(found).absolute()
    for _ in range(HOPS):
        yield path
        if not path.is_symlink():
            break
        path = Path(path.parent, path.readlink())
    real = path.resolve()
    yield real
    if (interpreter := _interpreter(real)) is not None:
        yield from _files(interpreter, env, hops - 1)


def _interpreter(script: Path) -> str | None:
    """What the first line of `script` names."""
    try:
        with script.open("rb") as file:
            line = file.readline(LINE)
    except OSError:
        return None
    if not line.startswith(b"#!"):
        return None
    words = line[2:].decode("utf-8", "replace").split()
    if words and words[0].rpartition("/")[2] == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return words[0] if words else None


def _installation(file: Path, around: Surroundings) -> Path:
    """The folder that is installed with `file`; the file itself where that would be too much."""
    if MODULES in file.parts:
        top = Path(*file.parts[: file.parts.index(MODULES)])
        wanted = [top.parent if top.name == "lib" else top / MODULES]
    else:
        packages = [
            one for one in list(file.parents)[:LEVELS] if any((one / name).exists() for name in PACKAGE)
        ]
        wanted = [*reversed(packages), file.parent.parent if file.parent.name in BIN else file.parent]
    return next((one for one in (*wanted, file.parent) if not around.holds_more(one)), file)
