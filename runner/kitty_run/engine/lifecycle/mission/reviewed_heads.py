"""What was reviewed is what is merged: branches that moved since are put back before the merge."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.host_calls import CallGivenUp, HostCalls
from kitty_run.engine.state.events import BranchPutBack, HeadFound, MergeQuestioned
from kitty_run.errors import WorkspaceError
from kitty_run.git.protocols import RepositoryPort, Standing
from kitty_run.git.provenance import Foreign
from kitty_run.host.model import Lane
from kitty_run.text.commands import git_at

NAMED = "unreviewed"
"""Name of a ref: a commit that was named to people."""


class ReviewedHeads:
    """The reviewed commits of one mission, and the branches that must hold them and nothing else."""

    def __init__(self, run: Run, calls: HostCalls, repository: RepositoryPort) -> None:
        self._run = run
        self._calls = calls
        self._repository = repository
        self.moved = 0
        """How often a branch was put back so far."""

    async def find(self) -> None:
        """Take down the commits of work packages that others approved, as early as they are seen.

        Whatever is committed on their branches later was there for none of those who approved.
        """
        finished = self._calls.host.traits.finished - {Lane.CANCELED}
        for wp, lane in self._run.board.lanes.items():
            if lane not in finished or self._run.remember(wp).reviewed is not None:
                continue
            if commit := await self._now(wp):
                await self._repository.keep(self._run.board.mission, wp, commit)
                self._run.journal.write(HeadFound(wp, commit, lane.value, by=self._run.board.actor(wp)))

    async def _now(self, wp: str) -> str | None:
        """What was handed in of `wp`, by the journals; else the commit that its branch is at."""
        own, earlier = self._run.remember(wp), self._run.earlier.of(wp)
        if known := own.ready or earlier.reviewed or earlier.ready:
            return known
        branch = self._run.remember(wp).branch
        if branch is None:
            try:
                branch = (await self._calls.locate(wp)).branch
            except CallGivenUp as given_up:
                self._run.notice(f"the host can't say where it is worked on: {given_up.refused}", wp)
        return await self._repository.resolve(f"refs/heads/{branch}") if branch else None

    async def compare(self) -> None:
        """Name the refs that hold something else than the reviewed commits: they are not believed."""
        mission = self._run.board.mission
        kept = await self._repository.kept(mission)
        for wp in self._run.board.lanes:
            reviewed, found = self._run.reviewed_head(wp), kept.get(wp)
            if reviewed is None or found in {None, reviewed}:
                continue
            ref = await self._repository.keep(mission, wp, reviewed)
            self._run.notice(
                f"refs/kitty-run/{mission}/{wp} was changed by others, to {found}: that is not believed. The "
                f"journal has {reviewed} as reviewed, which {ref} holds again",
                wp,
            )

    async def ask_about(self, commit: str) -> None:
        """Write down that a commit which nobody reviewed is named to people."""
        await self._repository.keep(self._run.board.mission, NAMED, commit)
        self._run.journal.write(MergeQuestioned("commits", commit))

    async def restore(self, gone: Iterable[tuple[str, str | None, str]]) -> None:
        """Create the branches in `gone` again (work package, branch, commit): what is merged is on them."""
        made: set[str] = set()
        for wp, branch, commit in gone:
            if branch is None or branch in made:
                continue
            await self._repository.restore(branch, commit)
            made.add(branch)
            self._run.notice(f"the branch {branch} was deleted; it is at {commit[:10]} again", wp)

    async def settle(
        self, branches: Iterable[tuple[str, str]], others: Sequence[str], target: str
    ) -> tuple[str, ...]:
        """Put back each branch (of pairs of work package and branch) that moved since its review.

        `others` are merged too: the mission's own branch, into which they are merged first, and those of
        canceled work packages. They hold nothing but reviewed commits, what `target` has, and the host's own
        then.
        Returns what can't be put right, for people.
        """
        groups: dict[str, list[str]] = {}
        for wp, branch in branches:
            groups.setdefault(branch, []).append(wp)
        more = [one for one in dict.fromkeys(others) if one not in {*groups, target}]
        if hidden := await self._repository.hidden([*groups, *more, target]):
            return tuple(self._hidden(branch) for branch in hidden)
        now = await self._repository.resolve(f"refs/heads/{target}")
        known = [*self._run.reviewed(), *([now] if now else [])]
        problems = [await self._settle(branch, wps, known) for branch, wps in groups.items()]
        problems += [await self._clear(branch, known, target) for branch in more]
        return tuple(one for one in problems if one)

    def _hidden(self, branch: str) -> str:
        git = git_at(self._run.repo)
        return (
            f"{branch} is the name of a tag or of another ref too, which git takes instead of the branch. "
            f"Look at it ({git} show {shlex.quote(branch)}), and remove it: "
            f"{git} tag -d {shlex.quote(branch)}"
        )

    async def _clear(self, branch: str, known: Sequence[str], target: str) -> str | None:
        """Put back a branch that is no finished work package's, if it has commits which nobody reviewed."""
        wps = list(self._run.board.lanes)
        standing = await self._repository.standing(branch, (), known)
        astray = (
            [] if standing is None else [one for one in standing.foreign if not self._is_resolution(wps, one)]
        )
        if standing is None or not astray:
            return None
        if await self._repository.changes_nothing(target, self._run.reviewed(), branch):
            await self.ask_about(astray[0].commit)
            named = "; ".join(map(str, astray))
            self._run.notice(f"{branch} has commits that nobody reviewed, and that change nothing: {named}")
            return None
        if standing.goal is not None:
            return await self._put_back(branch, wps[:1], standing, astray)
        place = await self._repository.place(branch) or self._run.repo
        git, commits = git_at(place), " ".join(one.commit[:10] for one in astray)
        return (
            f"{branch} has commits that nobody reviewed: {'; '.join(map(str, astray))}. The host's own came "
            f"after them. Look at them ({git} show {commits}), and take them back there, with {branch} "
            f"checked out: {git} revert --no-edit {commits}"
        )

    async def _settle(self, branch: str, wps: Sequence[str], known: Sequence[str]) -> str | None:
        reviewed = [commit for wp in wps if (commit := self._run.remember(wp).reviewed)]
        if not reviewed or (await self._repository.resolve(branch) in reviewed and len(set(reviewed)) == 1):
            return None
        standing = await self._repository.standing(branch, reviewed, known)
        if standing is None:
            return None  # the host removed it after its merge
        resolved = [one for one in standing.foreign if self._is_resolution(wps, one)]
        astray = [one for one in standing.foreign if one not in resolved]
        for one in resolved:
            self._run.notice(f"conflicts resolved by hand, which no reviewer saw: {one}", wps[-1])
        if not astray and not standing.missing:
            return None
        return await self._put_back(branch, wps, standing, astray)

    def _is_resolution(self, wps: Sequence[str], commit: Foreign) -> bool:
        """Whether a person was asked for it: a merge of this branch did not succeed, or would not have."""
        asked = any(wp in self._run.memory.heads or self._run.remember(wp).conflicted for wp in wps)
        return commit.resolves and asked

    async def _put_back(
        self, branch: str, wps: Sequence[str], standing: Standing, astray: Sequence[Foreign]
    ) -> str | None:
        what = f"{branch} ({', '.join(wps)}) is not at what was reviewed"
        why = f"not reviewed: {'; '.join(map(str, astray))}" if astray else ""
        lacking = f"lacks the reviewed {', '.join(one[:10] for one in standing.missing)}"
        if standing.goal is None:
            return (
                f"{what}: {why or lacking}. No reviewed commit contains all others: merge those that are "
                f"missing there (`git merge {' '.join(standing.missing)}`)"
            )
        try:
            kept = await self._repository.put_back(self._run.board.mission, wps[-1], branch, standing.goal)
        except WorkspaceError as error:
            return f"{what}: {why or lacking}; it can't be put back: {error}"
        self.moved += 1
        self._run.journal.write(
            BranchPutBack(
                wps[-1],
                branch=branch,
                commit=standing.goal,
                kept=kept,
                foreign=tuple(str(one) for one in astray),
            )
        )
        return None
