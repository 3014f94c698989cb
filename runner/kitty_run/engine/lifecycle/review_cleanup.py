"""A reviewer's checkout apart, and what is cleaned up after a reviewer that a killed run left no time to."""

from __future__ import annotations

from dataclasses import replace

from kitty_run.engine.context import Git, Run
from kitty_run.engine.lifecycle.claim import Assignment
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.state.events import ReviewDiscarded
from kitty_run.git.protocols import Snapshot
from kitty_run.profile.trust.families import followed_by

CHANGED, CUT_OFF = "changed by the reviewer", "left by a reviewer that was cut off"


class ReviewCheckout:
    """Where one work package is reviewed: a checkout of the reviewed commit, made for each attempt.

    Host calls wait while git makes or removes it: hosts list worktrees.
    """

    def __init__(self, run: Run, calls: HostCalls, wp: str) -> None:
        self._run = run
        self._calls = calls
        self._wp = wp

    async def open(self, at: Assignment, commit: str, agent: str) -> Assignment:
        """The assignment as the reviewer `agent` gets it."""
        one = self._run.profile.agents[agent]
        followed = followed_by(one.family, one.command)
        async with self._calls.host.quiet():
            return replace(at, workspace=await at.workspace.open_review(commit, at.base, followed))

    async def close(self, at: Assignment, before: Snapshot) -> None:
        """Throw away what the reviewer changed there, and in the workspace itself; it is kept first."""
        async with self._calls.host.quiet():
            files = await at.workspace.close_review(before.head, CHANGED)
        files += await at.workspace.discard(before, CHANGED)
        if files:
            self._run.journal.write(ReviewDiscarded(self._wp, files=tuple(sorted(set(files)))))

    async def put_back(self, at: Assignment) -> None:
        """Put the workspace back to the commit that a cut off reviewer was started on."""
        head = self._run.remember(self._wp).inspected
        if head is None:
            return
        async with self._calls.host.quiet():
            files = await at.workspace.close_review(head, CUT_OFF)
        now = await at.workspace.snapshot()
        if now.head != head or now.dirty:
            reviewed = await at.workspace.snapshot_committed(head)
            goal = replace(reviewed, branch=at.allocation.branch or now.branch)
            files += await at.workspace.discard(goal, CUT_OFF)
        elif not files:
            return
        self._run.journal.write(ReviewDiscarded(self._wp, files=tuple(sorted(set(files)))))


async def close_all(run: Run, calls: HostCalls, git: Git) -> None:
    """Remove the checkouts of all reviewers that killed runs left, also where nothing is reviewed again.

    The work packages' own workspaces are seen to when they are reviewed again.
    """
    for wp in run.board.lanes:
        memory = run.remember(wp)
        if memory.workspace is not None and memory.workspace.is_dir():
            async with calls.host.quiet():
                await git.workspace(memory.workspace, wp).close_review(memory.inspected, CUT_OFF)
