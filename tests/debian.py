"""Commands that tests need: the machine's, or Debian's packages unpacked into `.hosts/`."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

HOSTS = Path(__file__).resolve().parents[1] / ".hosts"


def directory(command: str, *packages: str) -> Path:
    """The directory that holds `command`, else taken from `packages` (its own first, then libraries).

    Raises AssertionError, and does not skip, where there is none to be had.
    """
    if found := shutil.which(command):
        return Path(found).parent
    home = HOSTS / packages[0]
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "usr/bin" / command).exists():
            _unpack(home, command, packages)
    return home / "bin" if len(packages) > 1 else home / "usr/bin"


def _unpack(home: Path, command: str, packages: tuple[str, ...]) -> None:
    if shutil.which("apt-get") is None:
        raise AssertionError(f"the command {command} is needed: install the package {packages[0]}")
    with tempfile.TemporaryDirectory() as folder:
        _run(["apt-get", "download", *packages], folder, packages[0])
        for package in Path(folder).glob("*.deb"):
            _run(["dpkg", "-x", str(package), str(home)], folder, packages[0])
    if len(packages) > 1:
        _wrap(home, command)


def _wrap(home: Path, command: str) -> None:
    """A command of the same name that finds the unpacked libraries."""
    libraries = ":".join(sorted({str(path.parent) for path in (home / "usr/lib").rglob("*.so.*")}))
    wrapper = home / "bin" / command
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {home}/usr/bin/{command} "$@"\n')
    wrapper.chmod(0o755)


def _run(argv: list[str], folder: str, package: str) -> None:
    ended = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, f"{' '.join(argv)}: {ended.stderr}; or install the package {package}"
