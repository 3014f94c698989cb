"""The real CLIs, installed from the package registries into a scratch directory and kept there by version."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.real_agents.catalog import Entry

HOME = Path(__file__).resolve().parents[2] / ".hosts" / "agents"
TIMEOUT = 900.0
NODE = 22
"""The oldest Node that every CLI here takes."""

NODE_PACKAGE = "node@24"


class NotInstallable(Exception):
    """The CLI can't be had here; says why."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A CLI that runs on this machine: `directory` holds its command, `path` is a PATH that finds it.

    `instead` says why it is not the newest version, or not its whole package.
    """

    directory: Path
    path: str
    version: str
    instead: str = ""


def installed(family: str, entry: Entry) -> Installed:
    """The CLI, installed where it is not yet; raises NotInstallable."""
    if entry.npm:
        return _from_npm(HOME / family, entry)
    if entry.pip:
        return _running(_pip(HOME / family, entry), entry.command)
    if found := shutil.which(entry.command):
        return _running(Path(found).parent, entry.command)
    raise NotInstallable(f"no package registry that is used here has it, and no {entry.command} is in PATH")


def _from_npm(folder: Path, entry: Entry) -> Installed:
    """The newest version that can be had whole and runs; raises NotInstallable with the newest's reason."""
    folder.mkdir(parents=True, exist_ok=True)
    newest = str(json.loads(_run(["npm", "view", entry.npm, "version", "--json"], folder)))
    reasons: list[str] = []
    for version, bare in _candidates(entry, newest):
        try:
            found = _running(
                _npm(folder / f"{version}{'-alone' * bare}", entry, version, bare=bare), entry.command
            )
            return replace(found, instead=reasons[0]) if reasons else found
        except NotInstallable as error:
            reasons.append(str(error))
    raise NotInstallable(reasons[0])


def _candidates(entry: Entry, newest: str) -> Iterator[tuple[str, bool]]:
    yield newest, False
    if entry.version:
        yield entry.version, False
    if entry.beside:
        yield newest, True


def _npm(folder: Path, entry: Entry, version: str, *, bare: bool) -> Path:
    """The directory of the package's commands. The version is named: npm would take an older one where Node
    is too old for it, without a word."""
    done = folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        wanted = entry.beside if bare else (f"{entry.npm}@{version}",)
        _run(["npm", "install", "--no-audit", "--no-fund", *wanted], folder)
        if bare:
            _unpack(folder, entry, version)
        done.touch()
    return folder / "node_modules" / ".bin"


def _unpack(folder: Path, entry: Entry, version: str) -> None:
    """The package alone, without what it names as its dependencies."""
    [packed] = json.loads(_run(["npm", "pack", "--json", f"{entry.npm}@{version}"], folder))
    with tarfile.open(folder / packed["filename"]) as archive:
        archive.extractall(folder, filter="data")
    binaries = json.loads((folder / "package" / "package.json").read_text(encoding="utf-8"))["bin"]
    link = folder / "node_modules" / ".bin" / entry.command
    link.unlink(missing_ok=True)
    link.symlink_to(folder / "package" / binaries[entry.command])


def _pip(folder: Path, entry: Entry) -> Path:
    """The directory of the commands of a virtual environment, always with the newest version."""
    python = folder / "bin" / "python"
    if not python.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        _run([str(_python(entry.python)), "-m", "venv", str(folder)], HOME)
    _run([str(python), "-m", "pip", "install", "--quiet", "--upgrade", entry.pip], folder)
    return folder / "bin"


def _python(oldest: tuple[int, ...]) -> Path:
    """An interpreter that is new enough: this one, one in PATH, or one of pyenv's."""
    if sys.version_info >= oldest:
        return Path(sys.executable)
    named = [shutil.which(f"python{oldest[0]}.{minor}") for minor in range(oldest[1], oldest[1] + 10)]
    kept = [
        str(path)
        for minor in range(oldest[1], oldest[1] + 10)
        for path in Path.home().glob(f".pyenv/versions/{oldest[0]}.{minor}.*/bin/python3")
    ]
    for found in (*named, *kept):
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return Path(found)
    raise NotInstallable(f"it needs Python {'.'.join(map(str, oldest))}, and none is in PATH or pyenv's")


def node() -> Path | None:
    """The directory of a Node that is new enough, from npm where the machine's own is not; None: its own."""
    own = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    if (match := re.match(r"v(\d+)\.", own)) and int(match[1]) >= NODE:
        return None
    folder = HOME / "node"
    directory = folder / "node_modules" / "node" / "bin"
    if not (directory / "node").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        _run(["npm", "install", "--no-audit", "--no-fund", NODE_PACKAGE], folder)
    return directory


def _running(directory: Path, command: str) -> Installed:
    """The CLI with its version; raises NotInstallable where it does not run on this machine."""
    if not (directory / command).exists():
        raise NotInstallable(f"its package has no command {command}")
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": path, "HOME": home, "NO_COLOR": "1"}
        told = _run([str(directory / command), "--version"], Path(home), env)
    numbered = [line for line in told.splitlines() if re.search(r"\d+\.\d+", line)]
    return Installed(directory, path, numbered[-1].strip() if numbered else "of no version")


def _run(argv: list[str], folder: Path, env: dict[str, str] | None = None) -> str:
    try:
        ended = subprocess.run(
            argv,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(str(error)) from error
    if ended.returncode != 0:
        raise NotInstallable(f"`{Path(argv[0]).name} {argv[1]}`: {_reason(ended.stderr or ended.stdout)}")
    return ended.stdout


def _reason(text: str) -> str:
    """The line that says most of what a command complains of."""
    lines = [re.sub(r"^(?:npm error )*(?:notarget )?", "", line.strip()) for line in text.splitlines()]
    telling = [line for line in lines if re.match(r"No matching version|404 +Not Found|.*[Ee]rror", line)]
    return next(iter([*telling, *filter(None, lines)]), "it says nothing")
