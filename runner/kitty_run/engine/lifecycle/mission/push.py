"""Whether the merged target is on the remote, asked of the remote itself."""

from __future__ import annotations

from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.git.protocols import RepositoryPort


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
    root = run.repo
    commit = (await repository.resolve(target) or "")[:10]
    raise Unfinished(
        f"merged here ({target} is at {commit}), not pushed: {remote} refused it: "
        f"{complaint or 'it does not show the commit'}\nTake in what {remote} has, then run again, which "
        f"pushes:\n  git -C {root} fetch {remote} && git -C {root} merge {remote}/{target}"
    )
