"""Whether the merged target is on the remote, asked of the remote itself."""

from __future__ import annotations

from pathlib import Path

from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.git.protocols import RepositoryPort
from kitty_run.text.commands import git_at


async def ensure_pushed(run: Run, repository: RepositoryPort, target: str) -> None:
    """Push `target` unless its remote has it already; raises `Unfinished` where the remote refuses.

    Never with force. The host's own push, and what it says of it, is no proof.
    """
    remote = await repository.remote_of(target)
    if await repository.is_on(remote, target):
        return
    complaint = await repository.push(remote, target)
    if complaint is None and await repository.is_on(remote, target):
        run.notice(f"{target} was pushed to {remote} by kitty-run, since the host had not")
        return
    commit = (await repository.resolve(target) or "")[:10]
    why = complaint or "it does not show the commit"
    raise Unfinished(
        f"merged here ({target} is at {commit}), not pushed to {remote}: {why}\n"
        f"{_advice(why, run.repo, remote, target)}"
    )


def _advice(why: str, root: Path, remote: str, target: str) -> str:
    """What a person does about it; running again pushes in each case."""
    git = git_at(root)
    take_in = f"{git} fetch {remote} && {git} merge {remote}/{target}"
    if "[remote rejected]" in why:
        return (
            f"{remote} itself refuses it, by a hook or a rule of its own. See to that, and run again, which "
            f"pushes. Or bring it there by a branch ({git} push {remote} {target}:refs/heads/BRANCH) and a "
            f"pull request, take in what {remote} has then, and run again:\n  {take_in}"
        )
    if "[rejected]" in why:
        return f"Take in what {remote} has, then run again, which pushes:\n  {take_in}"
    return (
        f"See whether {remote} can be reached ({git} ls-remote {remote}), and where it is ({git} remote -v); "
        "then run again, which pushes"
    )
