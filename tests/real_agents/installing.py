"""The real CLIs, installed from the package registries into a scratch directory and kept there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[2] / ".hosts" / "agents"
TIMEOUT = 900.0


class NotInstallable(Exception):
    """The CLI can't be had here; says why."""


def installed(family: str, entry: Mapping[str, Any]) -> Path:
    """The directory that holds the CLI's command; raises NotInstallable."""
    if "npm" in entry:
        return _npm(HOME / family, entry["npm"], entry["command"], entry.get("version"))
    if "pip" in entry:
        return _pip(HOME / family, entry["pip"], entry["command"])
    raise NotInstallable("no package registry has it")


def _npm(folder: Path, package: str, command: str, version: str | None) -> Path:
    bin_dir = folder / "node_modules" / ".bin"
    if not (bin_dir / command).exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        # The version is named: else npm takes an older one, without a word, where Node is too old for it.
        version = version or json.loads(_run(["npm", "view", package, "version", "--json"], folder))
        _run(["npm", "install", "--no-audit", "--no-fund", f"{package}@{version}"], folder)
    return _has(bin_dir, command)


def _pip(folder: Path, package: str, command: str) -> Path:
    if not (folder / "bin" / command).exists():
        _run([sys.executable, "-m", "venv", str(folder)], HOME.parent)
        _run([str(folder / "bin" / "pip"), "install", "--quiet", package], folder)
    return _has(folder / "bin", command)


def _has(directory: Path, command: str) -> Path:
    if not (directory / command).exists():
        raise NotInstallable(f"its package has no command {command}")
    return directory


def _run(argv: list[str], folder: Path) -> str:
    try:
        ended = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(str(error)) from error
    if ended.returncode != 0:
        raise NotInstallable(f"{' '.join(argv[:3])}: {(ended.stderr or ended.stdout).strip()[-200:]}")
    return ended.stdout


def output_of(directory: Path, command: str, arguments: list[str], home: Path) -> str:
    """What the command prints, both streams; raises NotInstallable where it doesn't run on this machine."""
    env = {"PATH": f"{directory}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "NO_COLOR": "1"}
    ended = subprocess.run(
        [str(directory / command), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if ended.returncode != 0:
        last = (ended.stderr or ended.stdout).strip().splitlines()[-1:]
        raise NotInstallable(f"`{command} {' '.join(arguments)}` does not run here: {''.join(last)}")
    return ended.stdout + ended.stderr
