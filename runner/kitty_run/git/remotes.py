"""What a remote has, asked of itself, and pushing to it without force."""

from __future__ import annotations

from kitty_run.errors import WorkspaceError
from kitty_run.git.command import Git, printable

MOST_SAID = 1000
"""Characters of what a remote said that are repeated."""


async def remote_of(git: Git, branch: str) -> str:
    """The remote that `branch` is pushed to: its own, else `origin`."""
    for key in (f"branch.{branch}.pushRemote", "remote.pushDefault", f"branch.{branch}.remote"):
        reply = await git.call("config", "--get", key)
        if reply.status == 0 and reply.stdout.strip() not in {"", "."}:
            return reply.stdout.strip()
    return "origin"


async def is_on(git: Git, remote: str, branch: str) -> bool:
    """Whether the remote itself shows `branch` at, or beyond, what it is at here."""
    reply = await git.call("ls-remote", "--", remote, f"refs/heads/{branch}")
    if reply.status != 0 or not reply.stdout:
        return False
    there = reply.stdout.split()[0]
    here = await git.line("rev-parse", "--verify", f"refs/heads/{branch}^{{commit}}")
    return there == here or await git.contains(there, here)


async def push(git: Git, remote: str, branch: str) -> str | None:
    """Push `branch`, never with force; None, or git's own words for why not."""
    try:
        name = f"refs/heads/{branch}"
        reply = await git.call("push", "--porcelain", "--no-verify", "--", remote, f"{name}:{name}")
    except WorkspaceError as error:
        return str(error)
    return None if reply.status == 0 else _words(printable(reply.stdout), printable(reply.stderr))


def _words(out: str, err: str) -> str:
    """Why: the line of the ref that was refused and what the remote said of it, else git's last error."""
    refused = [line for line in out.splitlines() if line.startswith("!")]
    said = [line.strip() for line in err.splitlines() if line.strip() and not line.startswith("hint:")]
    if refused:
        remote = [line.removeprefix("remote:") for line in said if line.startswith("remote:")]
        return " ".join(" ".join([refused[-1], *remote]).split())[:MOST_SAID]
    fatal = [line for line in said if line.startswith(("fatal:", "error:"))]
    return " ".join((fatal or said or ["git push gave no reason"])[0].split())[:MOST_SAID]
