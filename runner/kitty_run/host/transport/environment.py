"""The environment of a host call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import which

from kitty_run.errors import HostError
from kitty_run.host.transport.git_settings import git_environment

LEADING_ASTRAY = frozenset(
    {"SPECIFY_REPO_ROOT", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"}
)


def resolve(command: tuple[str, ...], env: Mapping[str, str]) -> Path:
    """The executable of `command`, absolute, not followed through links; `HostError` if there is none."""
    found = which(command[0], path=env.get("PATH"))
    if found is None:
        raise HostError(
            f"the host's command `{command[0]}` was not found; install it with "
            "`pipx install spec-kitty-cli` (or `pip install spec-kitty-cli`), or name it in host.command"
        )
    return Path.cwd() / found


def host_environment(executable: Path, env: Mapping[str, str]) -> dict[str, str]:
    """`env` for the host in `executable`.

    Its directory comes first on PATH, since the git merge drivers of coordination missions run plain
    `spec-kitty`. `SPECIFY_REPO_ROOT`, and the variables with which git calls its hooks and aliases, would
    lead it to another repository; git's settings that would stop it are set aside (see `git_settings`).
    Synchronisation with a service is off unless the user has set it.
    """
    inherited = git_environment({name: value for name, value in env.items() if name not in LEADING_ASTRAY})
    path = f"{executable.parent}:{env.get('PATH', '')}".rstrip(":")
    return {"SPEC_KITTY_ENABLE_SAAS_SYNC": "0", **inherited, "PATH": path, "NO_COLOR": "1"}
