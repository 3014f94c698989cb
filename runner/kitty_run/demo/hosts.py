"""Real hosts from PyPI, each in a virtual environment of its own, and the surroundings they run in.

Used by the demo and by the tests; a run of the product uses whatever host the profile names.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kitty_run.errors import HostError

PACKAGE = "spec-kitty-cli"
SCRIPT = "spec-kitty"
MARKER = "installed"
INSTALL_TIMEOUT = 900.0
"""Seconds for one pip run; a cold download of a 3.x host takes about a minute."""

GIT_CONFIG = """\
[user]
\tname = Kitty Run Demo
\temail = demo@kitty-run.invalid
[commit]
\tgpgsign = false
[init]
\tdefaultBranch = main
"""

NOT_INHERITED = ("GIT_", "PYTHON", "VIRTUAL_ENV", "SPECIFY_", "SPEC_KITTY_", "XDG_")
"""Prefixes of variables that would lead the host to another repository, interpreter or configuration."""


def ensure_host(version: str, root: Path) -> Path:
    """The `spec-kitty` script of host `version` below `root`, installed first where it is missing.

    The environment is built in place, since console scripts hold its absolute path; a marker written last
    shows that it is complete, and a file lock makes a second caller wait. Raises `HostError`.
    """
    root = root.resolve()
    root.mkdir(parents=True, exist_ok=True)
    home = root / version
    script = home / "bin" / SCRIPT
    with _locked(root / f"{version}.lock"):
        if not _usable(home):
            shutil.rmtree(home, ignore_errors=True)
            _build(home, version)
            (home / MARKER).write_text(f"{PACKAGE}=={version}\n", encoding="utf-8")
    return script


def host_environment(script: Path, home: Path) -> dict[str, str]:
    """The environment for the host at `script` with the private home directory `home`, made if missing.

    3.x hosts write hundreds of files into HOME, and git's merge drivers call plain `spec-kitty`: hence
    a home of its own, with a git identity, and the host's own directory first on PATH.
    """
    home.mkdir(parents=True, exist_ok=True)
    config = home / ".gitconfig"
    if not config.exists():
        config.write_text(GIT_CONFIG, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    path = os.pathsep.join([str(script.parent), kept.get("PATH", os.defpath)])
    return kept | {"HOME": str(home), "PATH": path, "SPEC_KITTY_ENABLE_SAAS_SYNC": "0"}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _usable(home: Path) -> bool:
    return (home / MARKER).is_file() and (home / "bin" / "python").exists()


def _build(home: Path, version: str) -> None:
    wanted = f"{PACKAGE}=={version}"
    _step([sys.executable, "-m", "venv", str(home)], wanted)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    _step([*pip, "--disable-pip-version-check", wanted], wanted)
    if not (home / "bin" / SCRIPT).is_file():
        raise HostError(f"{wanted} was installed into {home}, but it has no command {SCRIPT!r} there")


def _step(argv: Sequence[str], wanted: str) -> None:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=INSTALL_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise HostError(f"{wanted}: no end after {INSTALL_TIMEOUT:.0f} s of {' '.join(argv)}") from error
    if done.returncode != 0:
        last = "\n".join(f"  {line}" for line in (done.stdout + done.stderr).strip().splitlines()[-8:])
        raise HostError(f"{wanted} can't be installed; `{' '.join(argv)}` said:\n{last}")
