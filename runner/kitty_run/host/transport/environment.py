"""The environment of a host call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from shutil import which

from kitty_run.errors import HostError
from kitty_run.host.transport.git_settings import git_environment

LEADING_ASTRAY = frozenset(
    {"SPECIFY_REPO_ROOT", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"}
)


WIDTH = "500"
"""Characters of a line of a host's prose: a message is quoted from it, and no path in it is broken."""


def resolve(command: tuple[str, ...], env: Mapping[str, str]) -> Path:
    """The executable of `command`, absolute, not followed through links; `HostError` if there is none."""
    found = which(command[0], path=env.get("PATH"))
    if found is None:
        raise HostError(
            f"the host's command `{command[0]}` was not found; install it with "
            "`pipx install spec-kitty-cli` (or `pip install spec-kitty-cli`), or name it in host.command"
        )
    return Path.cwd() / found


def installations(name: str, env: Mapping[str, str]) -> tuple[Path, ...]:
    """Every executable `name` on the PATH of `env`, the one that is used first; links to one file are one."""
    places = [None] if os.sep in name else env.get("PATH", os.defpath).split(os.pathsep)
    found = [which(name, path=place) for place in places]
    different = {Path(path).resolve(): Path.cwd() / path for path in reversed(found) if path is not None}
    return tuple(reversed(different.values()))


def host_environment(executable: Path, env: Mapping[str, str]) -> dict[str, str]:
    """`env` for the host in `executable`.

    Its directory comes first on PATH, since the git merge drivers of coordination missions run plain
    `spec-kitty`. `SPECIFY_REPO_ROOT`, and the variables with which git calls its hooks and aliases, would
    lead it to another repository; git's settings that would stop it are set aside (see `git_settings`).
    Synchronisation with a service is off unless the user has set it.
    """
    inherited = git_environment({name: value for name, value in env.items() if name not in LEADING_ASTRAY})
    path = f"{executable.parent}:{env.get('PATH', '')}".rstrip(":")
    return {"SPEC_KITTY_ENABLE_SAAS_SYNC": "0", **inherited, "PATH": path, "NO_COLOR": "1", "COLUMNS": WIDTH}
