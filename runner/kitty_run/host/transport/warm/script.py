"""What a host's command is on disk: a Python console script that can be kept warm, or something else."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from kitty_run.host.transport.environment import resolve

HEAD = 4096
"""Bytes of a script that are looked at: far more than the longest interpreter line."""


class NotWarmable(Exception):
    """Why the host can't be kept warm; `str(error)` completes "the host is started anew for each call: …"."""


@dataclass(frozen=True, slots=True)
class ConsoleScript:
    """A console script and the command of the interpreter that runs it (absolute path, then its options)."""

    path: Path
    interpreter: tuple[str, ...]


def find_console_script(command: tuple[str, ...], env: Mapping[str, str]) -> ConsoleScript:
    """The Python console script that `command` starts, looked up on the PATH of `env`; blocking.

    Raises `NotWarmable` where it is no such script, or where `command` says more than the name of one, and
    `HostError` where there is nothing to start.
    """
    script = resolve(command, env)
    if len(command) > 1:
        raise NotWarmable(f"`{shlex.join(command)}` is not a console script alone")
    return ConsoleScript(script, _interpreter(script, env))


def _interpreter(script: Path, env: Mapping[str, str]) -> tuple[str, ...]:
    try:
        with script.open("rb") as file:
            lines = file.read(HEAD).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise NotWarmable(f"{script} can't be read ({error.strerror})") from error
    words = _interpreter_line(lines)
    if len(words) > 1 and PurePath(words[0]).name == "env":
        words = [shutil.which(words[1], path=env.get("PATH")) or words[1], *words[2:]]
    if not words or not PurePath(words[0]).name.startswith("python") or not os.access(words[0], os.X_OK):
        raise NotWarmable(f"{script} is no Python console script")
    return tuple(words)


def _interpreter_line(lines: list[str]) -> list[str]:
    """The words of the `#!` line, or of the second line, where installers put what is too long for it."""
    if not lines or not lines[0].startswith("#!"):
        return []
    words = lines[0][2:].split(maxsplit=1)
    if words == ["/bin/sh"] and len(lines) > 1 and lines[1].startswith("'''exec' "):
        return shlex.split(lines[1].removeprefix("'''exec' ").removesuffix(' "$0" "$@"'))
    return words[:1] + [option for rest in words[1:] for option in rest.split()]
