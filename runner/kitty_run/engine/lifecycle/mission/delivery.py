"""Work brought onto the mission's target, on topologies whose work packages are all worked on there.

Such hosts would have agents work in the root checkout. The runner has them work in a worktree of its own, so
that nobody's uncommitted work is mixed with theirs, and brings what is committed there onto the target.
"""

from __future__ import annotations

from kitty_run.engine.context import Git, Run
from kitty_run.engine.decisions.root_obstacles import BRANCH, CONFLICT, DIRTY
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.lifecycle.mission.merge_check import resolution
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.engine.state.events import MergeConflicted, MergeQuestioned, WorkDelivered
from kitty_run.git.root_state import BroughtIn
from kitty_run.host.model import HostRefused, Lane
from kitty_run.text.commands import git_at


class Delivery:
    """Brings the work of one mission's work packages onto its target, where the topology wants that."""

    def __init__(self, run: Run, calls: HostCalls, git: Git) -> None:
        self._run = run
        self._calls = calls
        self._git = git

    async def deliver(self, wp: str, commit: str, before: str) -> None:
        """Have the target contain `commit`, the work of `wp`; `before` is the operation that follows.

        Waits where people have something in the way at the root. Raises `CallGivenUp` where that stays.
        """
        if self._calls.host.topology.own_worktree is None:
            return

        async def once() -> None:
            target = self._calls.host.target or await self._git.repository.current_branch()
            if target is None:
                raise HostRefused(BRANCH, before, "the root checkout is on no branch", {})
            async with self._calls.host.quiet():
                message = f"Merge {wp} of {self._run.board.mission}"
                done = await self._git.repository.bring_in(target, commit, message)
            if done.conflicts or done.in_the_way:
                raise self._refused(wp, commit, target, before, done)
            if done.commit:
                self._run.journal.write(WorkDelivered(wp, work=commit, target=target, commit=done.commit))

        await self._calls.wait_for_root(before, once)

    async def name_unreviewed(self, branch: str) -> None:
        """Raise `Unfinished`, once, for what canceled ones brought onto the target and no review has seen.

        `branch` is the worktree's, which is at what was reviewed. Whoever runs again has read it.
        """
        found = []
        for wp, lane in self._run.board.lanes.items():
            done = self._run.remember(wp).delivered
            if lane is not Lane.CANCELED or done is None:
                continue
            standing = await self._git.repository.standing(branch, (done.work,), ())
            if standing is not None and standing.missing:
                found.append((wp, done))
        commits = " ".join(done.work for _, done in found)
        if found and self._run.memory.questioned.get("canceled") != commits:
            self._run.journal.write(MergeQuestioned("canceled", commits))
            raise Unfinished(
                "\n".join(self._unreviewed(wp, done) for wp, done in found) + "\nThen run again."
            )

    def _unreviewed(self, wp: str, done: WorkDelivered) -> str:
        git, commit = git_at(self._run.repo), done.commit[:10]
        return (
            f"{wp} is canceled, but what it handed in is on {done.target}, and no reviewer approved it. "
            f"Look at it ({git} log --stat {commit}^..{commit}); to take it back, with {done.target} "
            f"checked out: {git} revert --no-edit -m 1 {commit}."
        )

    def _refused(self, wp: str, commit: str, target: str, before: str, done: BroughtIn) -> HostRefused:
        if not done.conflicts:
            text = (
                f"the work of {wp} can't be brought onto {target}: {done.in_the_way} Commit or stash what is "
                f"under way at the root checkout: `{git_at(self._run.repo)} stash push`"
            )
            return HostRefused(DIRTY, before, text, {})
        memory = self._run.remember(wp)
        if not memory.conflicted:
            self._run.journal.write(MergeConflicted(wp, commit=commit, other=target, files=done.conflicts))
        where = resolution(memory.workspace or self._run.repo, target, done.conflicts)
        text = f"the work of {wp} conflicts with {target}, in {', '.join(done.conflicts[:20])}. {where}"
        return HostRefused(CONFLICT, before, text, {})
