"""Cleaning up after a reviewer that a killed run left no time to."""

from __future__ import annotations

from dataclasses import replace

from kitty_run.engine.context import Git, Run
from kitty_run.engine.lifecycle.claim import Assignment
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.state.events import ReviewDiscarded


async def put_back(run: Run, calls: HostCalls, git: Git, wp: str, at: Assignment) -> None:
    """Put the workspace back to the commit that the reviewer was started on; nothing where it still is.

    What is taken away stays in the reflog of the ref that keeps the work package's commits: the reviewer's
    it is by the journal, but a person may have been there since.
    """
    head = run.remember(wp).inspected
    if head is None:
        return
    now = await at.workspace.snapshot()
    if now.head == head and not now.dirty:
        return
    aside = await at.workspace.record(now, f"{wp}: left by a reviewer that was cut off")
    async with calls.host.quiet():
        for commit in (aside, head):
            await git.repository.keep(run.board.mission, wp, commit)
    reviewed = await at.workspace.snapshot_committed(head)
    files = await at.workspace.discard(replace(reviewed, branch=at.allocation.branch or now.branch))
    run.journal.write(ReviewDiscarded(wp, files=tuple(files)))
    run.notice(
        f"a reviewer that was cut off had changed the workspace; what it left is kept as {aside[:10]} "
        f"(git reflog refs/kitty-run/{run.board.mission}/{wp})",
        wp,
    )
