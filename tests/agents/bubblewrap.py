"""A real bubblewrap for the tests: the machine's, or Debian's package unpacked into `.hosts/`."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

HOME = Path(__file__).resolve().parents[2] / ".hosts" / "bubblewrap"


def directory() -> Path:
    """The directory that holds `bwrap`; fails, and does not skip, where there is none to be had."""
    if found := shutil.which("bwrap"):
        return Path(found).parent
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (HOME / "usr/bin/bwrap").exists():
            _unpack()
    return HOME / "usr/bin"


def _unpack() -> None:
    if shutil.which("apt-get") is None:
        raise AssertionError("these tests need the command bwrap: install the package bubblewrap")
    with tempfile.TemporaryDirectory() as folder:
        _run(["apt-get", "download", "bubblewrap"], folder)
        [package] = Path(folder).glob("*.deb")
        _run(["dpkg", "-x", str(package), str(HOME)], folder)


def _run(argv: list[str], folder: str) -> None:
    ended = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, f"{' '.join(argv)}: {ended.stderr}; or install the package bubblewrap"
