"""This machine and the repository."""

from __future__ import annotations

import asyncio
import os
import platform
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from kitty_run import __version__
from kitty_run.awake import VARIABLE, allowed, means
from kitty_run.doctor.command import output
from kitty_run.doctor.finding import Finding, bad, note, ok
from kitty_run.engine.root_checkout import unknown_committer
from kitty_run.engine.state.run_directory import HOME
from kitty_run.errors import ExitStatus
from kitty_run.execution.supervised import unavailable
from kitty_run.host.repository import missions
from kitty_run.host.transport.git_settings import set_aside
from kitty_run.report.liveness import lock_holder
from kitty_run.text.commands import git_at

GIT = (2, 39)
"""The oldest version that all tests were run with. 2.30 was tried: it lacks `git add --sparse`, so that what
an agent writes into the left-out part of a sparse worktree is not seen; before 2.38 there is no
`git merge-tree --write-tree`, by which merges are verified."""


async def machine() -> AsyncIterator[Finding]:
    """kitty-run itself, and git."""
    yield ok("kitty-run", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    said = await output("git", "--version")
    found = re.search(r"(\d+)\.(\d+)\S*", said or "")
    if found is None:
        yield bad("git", "not found", "install git", ExitStatus.USAGE)
    elif (int(found[1]), int(found[2])) < GIT:
        wanted = ".".join(map(str, GIT))
        yield bad("git", f"{found[0]} is too old", f"install {wanted} or later", ExitStatus.USAGE)
    else:
        yield ok("git", found[0])
    if reason := unavailable():
        yield note(
            "processes",
            f"a daemon that an agent starts, and that clears its environment, may not be found: {reason}",
            "look with `ps` for what still works in the worktrees after a run",
        )
    else:
        yield ok("processes", "whatever agents and checks start is found and ended, daemons too")
    yield await sleep()


async def sleep(environment: Mapping[str, str] = os.environ) -> Finding:
    """Whether the machine is kept from falling asleep while agents work."""
    if not allowed(environment):
        return ok("sleep", f"the machine may fall asleep while agents work: {VARIABLE} is off")
    found = await asyncio.to_thread(means, environment)
    if isinstance(found, str):
        return note(
            "sleep",
            f"the machine may fall asleep while agents work: {found}",
            f"have it not sleep by other means; {VARIABLE}=no says that it may",
        )
    how = Path(found[0]).name
    return ok("sleep", f"{how} keeps the machine awake while agents work ({VARIABLE}=no: it may sleep)")


async def repository(repo: Path) -> AsyncIterator[Finding]:
    """The repository at `repo`: its missions, who commits, and who runs in it."""
    known = missions(repo)
    known_text = f"missions: {', '.join(known)}" if known else "no missions (no kitty-specs/*/)"
    yield ok("repository", f"{repo}, {known_text}")
    _, unknown = await unknown_committer(repo)
    if unknown:
        yield note("commits", unknown)
    async for finding in _git_settings(repo):
        yield finding
    lock = lock_holder(repo / HOME / "lock")
    if lock and lock["alive"] is not False:
        yield note("lock", f"process {lock['pid']} on {lock.get('machine')} runs here since {lock['since']}")


async def _git_settings(repo: Path) -> AsyncIterator[Finding]:
    """What of the user's settings a host's git does not follow, and what stops it and can't be set aside."""
    said = await output("git", "config", "--null", "--list", "--includes", cwd=repo)
    pairs = (item.partition("\n") for item in (said or "").split("\0") if item)
    settings = {key: value for key, _, value in pairs}
    if found := set_aside(settings):
        yield note("git settings", f"not followed when the host calls git: {', '.join(found)}")
    if "diff.external" in settings:
        yield note(
            "git settings",
            f"diff.external={settings['diff.external']} is what a host that calls `git diff` reads",
            f"{git_at(repo)} config --unset-all diff.external (or --global)",
        )
