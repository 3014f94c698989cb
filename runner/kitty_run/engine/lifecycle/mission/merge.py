"""The host's merge, between what may be merged and the proof by git of what came of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from kitty_run.engine.context import Git, Run
from kitty_run.engine.lifecycle.approvals import Approvals
from kitty_run.engine.lifecycle.host_calls import CallGivenUp, HostCalls
from kitty_run.engine.lifecycle.mission.branch_watch import BranchWatch
from kitty_run.engine.lifecycle.mission.delivery import Delivery
from kitty_run.engine.lifecycle.mission.host_records import commit_status
from kitty_run.engine.lifecycle.mission.merge_check import MergeCheck, conflict_text, resolution
from kitty_run.engine.lifecycle.mission.push import ensure_pushed
from kitty_run.engine.lifecycle.mission.reviewed_heads import ReviewedHeads
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.engine.state.events import MergeConflicted, MergeStarted, MergeVerified
from kitty_run.errors import ExitStatus, WorkspaceError
from kitty_run.git.protocols import Unmerged
from kitty_run.git.root_state import AbortedMerge
from kitty_run.host.model import HostRefused, Lane
from kitty_run.profile.finish import Merge
from kitty_run.profile.retry_verbs import Again
from kitty_run.text.commands import git_at

LOOKS = 5
"""How often branches that move are put back before the merge."""


@dataclass(frozen=True, slots=True)
class Work:
    """A finished work package's branch: where it is, and the commit that the merge must contain."""

    wp: str
    workspace: Path
    branch: str | None
    head: str
    alive: bool
    """Whether the branch still exists; hosts remove merged ones."""


class MissionMerge:
    """Merges one mission, and proves it."""

    def __init__(
        self, run: Run, calls: HostCalls, git: Git, approvals: Approvals, watch: BranchWatch
    ) -> None:
        self._run = run
        self._git = git
        self._calls = calls
        self._approvals = approvals
        self._watch = watch
        self._heads = ReviewedHeads(run, calls, git.repository)
        self._check = MergeCheck(run, git.repository, self._heads)
        self._delivery = Delivery(run, calls, git)

    async def merge(self, merge: Merge) -> None:
        """Merge and prove it, and have the remote hold it where the profile wants that."""
        if self._run.memory.merged is None:
            await self._merge(merge)
        if merge.push:
            await ensure_pushed(self._run, self._git.repository, await self._target(merge))

    async def _merge(self, merge: Merge) -> None:
        self._check_strategy(merge)
        works = await self._works()
        heads = {work.wp: work.head for work in works}
        merged_before = not any(work.alive for work in works) or bool(self._run.memory.heads)
        if merged_before and await self._has_merged(merge, heads):
            return await self._verified(merge, heads)  # by an earlier run, perhaps one that was killed
        await self._approvals.pass_or_stop("merge")
        if self._run.memory.heads:  # an earlier run may have been killed amid it
            await self._abort()
        await commit_status(self._run, self._calls, self._git.repository, "merge")
        await self._heads.restore([(work.wp, work.branch, work.head) for work in works if not work.alive])
        works = await self._settled(merge, works)
        heads = {work.wp: work.head for work in works}
        for work in works:
            await self._delivery.deliver(work.wp, work.head, "merge")
            if work.branch and self._calls.host.topology.own_worktree:
                await self._delivery.name_unreviewed(work.branch)
        await self._refuse_conflicts(await self._target(merge), works)
        await self._watch.refuse()
        before = await self._check.before(await self._target(merge))
        started = MergeStarted(heads=heads, target=merge.target, strategy=merge.strategy, before=before)
        self._run.journal.write(started)
        await self._call_merge(merge, works)
        return await self._verified(merge, heads)

    async def _refuse_conflicts(self, target: str, works: list[Work]) -> None:
        """Say before anything is merged what can't be: hosts leave a merge half done, or take one side."""
        if await self._git.repository.resolve(target) is None:
            return
        found = await self._git.repository.conflict(target, list(dict.fromkeys(work.head for work in works)))
        if found is None:
            return
        work = next(one for one in works if one.head == found.head)
        other = next((one.branch for one in works if one.head == found.other and one.branch), target)
        self._run.journal.write(MergeConflicted(work.wp, commit=found.head, other=other, files=found.files))
        raise Unfinished(conflict_text(work.wp, work.workspace, other, found.files))

    def _check_strategy(self, merge: Merge) -> None:
        works = self._calls.host.traits.merge_strategies
        if merge.strategy not in works:
            raise Unfinished(
                f"finish.merge.strategy: {merge.strategy} does not work on this host; it merges by "
                f"{' or '.join(sorted(works))}"
            )

    async def _works(self) -> list[Work]:
        """Every finished WP with its head; refuses where a workspace is dirty or a branch is gone."""
        works, problems, run = [], [], self._run
        for wp, lane in self._run.board.lanes.items():
            if lane is Lane.CANCELED:
                continue
            workspace, branch = await self._place(wp)
            head = await self._git.repository.resolve(f"refs/heads/{branch}") if branch else None
            gone = branch is not None and head is None  # all files would count as new
            if not gone and workspace.is_dir() and (dirty := await self._dirty(workspace, wp)):
                problems.append(f"{wp}: {workspace} is dirty ({', '.join(dirty[:5])})")
            known = head or run.memory.heads.get(wp) or run.reviewed_head(wp) or run.earlier.heads.get(wp)
            if known is None:
                problems.append(f"{wp}: {await self._missing_branch(wp, branch)}")
            else:
                works.append(Work(wp, workspace, branch, known, alive=head is not None))
        if problems:
            raise Unfinished(
                "not merged, since work could be lost:\n  " + "\n  ".join(problems) + "\nCommit or remove "
                "what is uncommitted (the host deletes dirty worktrees without a word), then run again."
            )
        return works

    async def _missing_branch(self, wp: str, branch: str | None) -> str:
        text = f"its branch {branch} does not exist, and no journal of kitty-run knows its reviewed commit"
        kept = (await self._git.repository.kept(self._run.board.mission)).get(wp)
        if kept is None or branch is None:
            return text
        made = f"{git_at(self._run.repo)} branch {shlex.quote(branch)} {kept}"
        return f"{text}. A ref has {kept}, and anybody can have set it: if that is the work, `{made}`"

    async def _settled(self, merge: Merge, works: list[Work]) -> list[Work]:
        """The works once all branches are at what was reviewed, and none has moved during that look."""
        for _ in range(LOOKS):
            moved = self._heads.moved
            await self._settle(merge, works)
            now = await self._works()
            if now == works and moved == self._heads.moved:
                return now
            works = now
        raise Unfinished(
            "not merged, since the branches of its work packages keep moving: end what commits there, then "
            "run again"
        )

    async def _dirty(self, workspace: Path, wp: str) -> tuple[str, ...]:
        return await self._git.workspace(workspace, wp).dirty()

    async def _settle(self, merge: Merge, works: list[Work]) -> None:
        """Have every branch at what was reviewed, after all that people were waited for."""
        branches = [(work.wp, work.branch) for work in works if work.branch]
        gathering = self._calls.host.traits.gathering(self._run.board.mission)
        target = await self._target(merge)
        others = [*([gathering] if gathering else []), *await self._canceled(target)]
        if problems := await self._heads.settle(branches, others, target):
            raise Unfinished("not merged, since nobody reviewed what would be:\n  " + "\n  ".join(problems))

    async def _canceled(self, target: str) -> list[str]:
        """The branches of canceled ones, which hosts merge too; what was never made is made at `target`."""
        host, found = self._calls.host, list[str]()
        if host.traits.workspaces == "runner" or host.topology.own_worktree is not None:
            return []
        for wp, lane in self._run.board.lanes.items():
            branch = (await self._place(wp))[1] if lane is Lane.CANCELED else None
            if branch is None:
                continue
            start = await self._git.repository.resolve(f"refs/heads/{target}")
            if start and await self._git.repository.resolve(f"refs/heads/{branch}") is None:
                await self._git.repository.restore(branch, start)
                self._run.notice(f"made {branch} at {target}: the host merges the branch of each one", wp)
            found.append(branch)
        return found

    async def _place(self, wp: str) -> tuple[Path, str | None]:
        """The workspace and the branch of `wp`, from the host only where the journal does not know."""
        memory = self._run.remember(wp)
        if memory.workspace is not None:
            return memory.workspace, memory.branch
        allocation = await self._calls.locate(wp)
        return allocation.workspace, allocation.branch

    async def _call_merge(self, merge: Merge, works: list[Work]) -> None:
        """The host's merge, repeated as the table says while git shows that it has not taken effect."""
        heads = {work.wp: work.head for work in works}
        aborted: AbortedMerge | None = None
        tried = False

        async def once() -> None:
            nonlocal aborted, tried
            if tried:  # a branch may have moved since, and be what the host refused
                await self._settle(merge, works)
            tried = True
            try:
                # Always named: what a host merges into by itself need not be the mission's target.
                await self._calls.host.merge(await self._target(merge), merge.strategy, merge.push)
            except HostRefused as refused:
                aborted = await self._abort()
                if not await self._took_effect(merge, heads, refused):
                    raise
                self._run.notice(f"merge: {refused}; git shows that the work is merged all the same")

        try:
            await self._calls.for_mission("merge", tuple(Again), once)
        except CallGivenUp as given_up:
            raise await self._refused(merge, works, given_up, aborted) from given_up.refused

    async def _abort(self) -> AbortedMerge | None:
        heads = {wp: head for wp in self._run.board.lanes if (head := self._run.reviewed_head(wp))}
        own = {**heads, **self._run.memory.heads}
        aborted = await self._git.repository.abort_merge(self._run.board.mission, own)
        if aborted is not None:
            self._run.notice("the host left a merge half done at the root checkout; it was aborted")
        return aborted

    async def _took_effect(self, merge: Merge, heads: dict[str, str], refused: HostRefused) -> bool:
        """Whether the work arrived though the host reported a failure: one of its push, say."""
        moved = refused.lost or await self._check.moved(await self._target(merge))
        return moved and await self._has_merged(merge, heads)

    async def _has_merged(self, merge: Merge, heads: dict[str, str]) -> bool:
        """Whether git shows all the work on the target, and the host's record does not deny the merge."""
        return self._calls.host.merge_recorded is not False and not await self._missing(merge, heads)

    async def _refused(
        self, merge: Merge, works: list[Work], given_up: CallGivenUp, aborted: AbortedMerge | None
    ) -> Unfinished:
        """Why the host did not merge, and what a person does about it."""
        text = f"{given_up}\nNothing is lost: every work package's commits are on its branch."
        status = given_up.exit_status
        if own := [
            path for path in await self._git.repository.dirty_tracked() if not path.startswith("kitty-specs/")
        ]:
            text += (
                f"\nUncommitted changes at the root checkout may be in its way: {', '.join(own[:10])}. "
                "Commit or stash them, then run again."
            )
            status = ExitStatus.PAUSED
        for work in works:
            if aborted is not None and work.head == aborted.commit and aborted.files:
                names = ", ".join(aborted.files[:20])
                text += (
                    f"\n{work.wp} conflicts with what was merged before it, in {names}. "
                    f"{resolution(work.workspace, await self._target(merge), aborted.files)}"
                )
        return Unfinished(text, status)

    async def _target(self, merge: Merge) -> str:
        """The branch to look at; without one in the profile the mission's own, else the root's."""
        target = merge.target or self._calls.host.target or await self._git.repository.current_branch()
        if target is None:
            raise WorkspaceError(
                "the root checkout is on no branch, and the profile names no finish.merge.target"
            )
        return target

    async def _missing(self, merge: Merge, heads: dict[str, str]) -> tuple[Unmerged, ...]:
        return await self._git.repository.verify_merged(await self._target(merge), heads)

    async def _verified(self, merge: Merge, heads: dict[str, str]) -> None:
        """What the host says of a merge counts only when git shows the code on the target."""
        target = await self._target(merge)
        if missing := await self._missing(merge, heads):
            rows = "\n  ".join(
                f"{one.wp}: {one.reason} {', '.join(one.files[:5])}".rstrip() for one in missing
            )
            git = git_at(self._run.repo)
            lacking = dict.fromkeys(heads[one.wp] for one in missing)
            raise Unfinished(
                f"the host says that it merged, but {target} does not have all the work:\n  {rows}\n"
                f"The commits are kept under refs/kitty-run/: `{git} for-each-ref refs/kitty-run`. To merge "
                f"what is missing yourself, with {target} checked out: {git} merge {' '.join(lacking)}; "
                "then run again"
            )
        await self._watch.refuse()
        await self._check.after(merge, target, heads)
        commit = await self._git.repository.resolve(target)
        self._run.journal.write(MergeVerified(target=target, commit=commit, strategy=merge.strategy))

    async def clean_up(self, merge: Merge) -> None:
        """Remove what is merged, where the host doesn't; a run that was killed before it did this, too."""
        host = self._calls.host
        if host.traits.cleans_up and host.topology.own_worktree is None:
            return
        lanes = self._run.board.lanes
        places = [await self._place(wp) for wp, lane in lanes.items() if lane is not Lane.CANCELED]
        branches = list(dict.fromkeys(branch for _, branch in places if branch))
        worktrees = list(dict.fromkeys(workspace for workspace, _ in places))
        await self._git.repository.cleanup(worktrees, branches, await self._target(merge))
