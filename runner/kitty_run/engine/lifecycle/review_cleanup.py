"""Cleaning up after a reviewer that a killed run left no time to."""

from __future__ import annotations

from dataclasses import replace

from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.claim import Assignment
from kitty_run.engine.state.events import ReviewDiscarded


async def put_back(run: Run, wp: str, at: Assignment) -> None:
    """Put the workspace back to the commit that the reviewer was started on; nothing where it still is."""
    head = run.remember(wp).inspected
    if head is None:
        return
    now = await at.workspace.snapshot()
    if now.head == head and not now.dirty:
        return
    reviewed = await at.workspace.snapshot_committed(head)
    goal = replace(reviewed, branch=at.allocation.branch or now.branch)
    files = await at.workspace.discard(goal, "left by a reviewer that was cut off")
    run.journal.write(ReviewDiscarded(wp, files=tuple(files)))
