"""Settings of a repository with which no work can be committed or merged: named before anything is paid."""

from __future__ import annotations

import re
from pathlib import Path
from shutil import which

from kitty_run.errors import UsageError
from kitty_run.git.command import Git
from kitty_run.text.commands import git_at

COMMANDS = ("clean", "smudge", "process")


class UnusableSettings(UsageError):
    """Git's settings in a repository are not to be worked with."""


async def refuse_unusable(root: Path) -> None:
    """Raise `UnusableSettings` where the settings of the repository at `root` keep work from being done."""
    if found := await unusable(root):
        raise UnusableSettings(f"{'; '.join(found)}. Nothing was started")


async def unusable(root: Path) -> tuple[str, ...]:
    """What is wrong, each with the command that puts it right."""
    git = Git(root)
    reply = await git.call("config", "--null", "--list", "--includes")
    if reply.status != 0:
        return (f"git can't read its settings for {root}: {' '.join(reply.stderr.split())}",)
    settings = dict(_pair(item) for item in reply.stdout.split("\0") if item)
    at = git_at(root)
    found = []
    if settings.get("core.bare") == "true":
        found.append(
            f"core.bare is true in {root}, which has a checkout: run `{at} config --unset-all core.bare`"
        )
    if place := settings.get("core.worktree"):
        found.append(
            f"core.worktree leads git from {root} to {place}: run `{at} config --unset-all core.worktree`"
        )
    for name in _required(settings):
        found += await _filter(git, at, name, settings)
    return tuple(found)


async def _filter(git: Git, at: str, name: str, settings: dict[str, str]) -> list[str]:
    """A filter that must run for files of the last commit, and can't."""
    commands = [settings[key] for kind in COMMANDS if (key := f"filter.{name}.{kind}") in settings]
    programs = [command.split()[0] for command in commands if command.split()]
    named = [program for program in programs if re.fullmatch(r"[\w.+-]+|/[\w./+-]+", program)]
    missing = [program for program in named if which(program) is None]
    if programs and not missing:
        return []
    if not await git.ok("grep", "-q", "-F", f"filter={name}", "HEAD", "--", "*.gitattributes"):
        return []
    what = f"needs {missing[0]}, which is not installed: install it" if missing else "has no command: set one"
    return [f"the required filter {name} {what}, or run `{at} config filter.{name}.required false`"]


def _required(settings: dict[str, str]) -> list[str]:
    keys = (re.fullmatch(r"filter\.(.+)\.required", key) for key in settings)
    return [key[1] for key in keys if key and settings[key[0]].lower() in {"true", "yes", "on", "1", ""}]


def _pair(item: str) -> tuple[str, str]:
    key, _, value = item.partition("\n")
    return key, value
