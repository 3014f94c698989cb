"""Whether a branch lacks commits that its remote has: by what was fetched, else by the remote itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from kitty_run.errors import KittyRunError
from kitty_run.git.command import Git
from kitty_run.git.remotes import remote_of

PATIENCE = 10.0
"""Seconds that a remote gets to say what it has."""
UNASKED = {"GIT_ASKPASS": "true", "SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never"}
"""Variables with which nobody is asked for a password."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A branch lacks commits that its remote has; `commits` is how many, None: they were not fetched."""

    remote: str
    branch: str
    commits: int | None


async def behind(git: Git, branch: str) -> Behind | None:
    """What `branch` lacks of its remote.

    None: nothing, or nobody knows: no remote, no such branch there, or no answer within `PATIENCE`.
    """
    here = await git.commit_of(f"refs/heads/{branch}")
    if here is None or not (await git.run("remote")).strip():
        return None
    remote = await remote_of(git, branch)
    there = await git.commit_of(f"refs/remotes/{remote}/{branch}")
    if there is None or await git.contains(here, there):
        there = await _shown(git, remote, branch)
    if there is None:
        return None
    if await git.commit_of(there) is None:
        return Behind(remote, branch, None)
    missing = int(await git.line("rev-list", "--count", there, f"^{here}"))
    return Behind(remote, branch, missing) if missing else None


async def _shown(git: Git, remote: str, branch: str) -> str | None:
    """The commit that `remote` itself shows for `branch`."""
    asking = Git(git.cwd, {**git.extra, **UNASKED})
    try:
        async with asyncio.timeout(PATIENCE):
            reply = await asking.call("ls-remote", "--", remote, f"refs/heads/{branch}")
    except (TimeoutError, KittyRunError):
        return None
    words = reply.stdout.split()
    return words[0] if reply.status == 0 and words else None
