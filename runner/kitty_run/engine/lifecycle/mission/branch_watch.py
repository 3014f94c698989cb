"""The target, and the mission's own branch, still hold every commit that was seen on them."""

from __future__ import annotations

import asyncio
import shlex

from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.engine.state.events import BranchMovedBack, BranchSeen, GateAnswered, GateWaiting
from kitty_run.engine.state.gate_answers import answer_of, forget
from kitty_run.errors import WorkspaceError
from kitty_run.git.protocols import RepositoryPort
from kitty_run.host.protocol import Host
from kitty_run.text.commands import command, git_at

GATE = "moved-back"
"""What a person approves to have commits stay away that are missing on a branch."""
NAMED = 20
"""Commits that are named; of more there is the number."""


class BranchWatch:
    """Compares these branches with what they were at: forward is fine, whoever moves them."""

    def __init__(self, run: Run, host: Host, repository: RepositoryPort) -> None:
        self._run = run
        self._host = host
        self._repository = repository
        self._looking = asyncio.Lock()

    async def look(self) -> None:
        """Write down where the branches are, or that commits are missing there."""
        async with self._looking:  # a tip that was read before another look would seem to be behind it
            target = await self._target()
            branches = [branch for branch in (target, self._gathering(target)) if branch is not None]
            tips = await self._repository.tips(branches)
            for branch in branches:
                await self._compare(branch, tips.get(branch), tips.get(target or ""))

    async def refuse(self) -> None:
        """Raises `Unfinished` where commits are missing, and nobody has said that they are to stay away."""
        await self.look()
        missing = tuple(self._run.memory.moved_back.values())
        if not missing or self._answered(missing):
            return
        texts = [await self._text(one) for one in missing]
        raise Unfinished(
            "\n".join(texts) + "\nThen run again. If they are to stay away: "
            f"`{command('kitty-run', 'approve', GATE)}`, then run again."
        )

    async def _target(self) -> str | None:
        merge = self._run.profile.finish.merge
        named = merge.target if merge is not None else None
        return named or self._host.target or await self._repository.current_branch()

    def _gathering(self, target: str | None) -> str | None:
        """The mission's own branch, until its merge begins: hosts remove it then."""
        memory, earlier = self._run.memory, self._run.earlier
        if memory.heads or memory.merged is not None or earlier.merged is not None:
            return None
        found = self._host.traits.gathering(self._run.board.mission)
        return None if found == target else found

    async def _compare(self, branch: str, now: str | None, target: str | None) -> None:
        memory = self._run.memory
        was, known = self._was(branch), memory.moved_back.get(branch)
        if now == (known.now if known else was):
            return
        missing = () if was is None else await self._repository.lacking(now or target, was)
        if was is not None and missing:
            await self._name(branch, was, now, missing)
        elif now is not None:
            await self._keep(f"seen/{branch}", now)
            self._run.journal.write(BranchSeen(branch, now))
            if known is not None and not memory.moved_back:
                self._forget("the commits are back")

    def _was(self, branch: str) -> str | None:
        """What `branch` was seen at; None: never, or a person knows that it is deleted."""
        found = self._run.memory.seen.get(branch, self._run.earlier.seen.get(branch))
        return found or None

    async def _name(self, branch: str, was: str, now: str | None, missing: tuple[str, ...]) -> None:
        kept = await self._keep(f"moved-back/{was[:12]}", was)
        forget(self._run.place, GATE)  # whatever was answered was about something else
        self._run.journal.write(BranchMovedBack(branch, was, len(missing), missing[:NAMED], kept, now=now))
        self._run.journal.write(GateWaiting(GATE))

    async def _keep(self, name: str, commit: str) -> str:
        """The ref that holds `commit` from now on; empty where git does not have it any more."""
        try:
            return await self._repository.keep(self._run.board.mission, name, commit)
        except WorkspaceError:
            return ""

    def _answered(self, missing: tuple[BranchMovedBack, ...]) -> bool:
        """Whether a person said of exactly these that they are to stay away."""
        answer = answer_of(self._run.place, GATE)
        if answer is None:
            return False
        self._forget(answer.note, answer.by, approved=answer.approved)
        if answer.approved:
            for one in missing:
                self._run.journal.write(BranchSeen(one.branch, one.now or ""))
        return answer.approved

    def _forget(self, note: str, by: str = "kitty-run", *, approved: bool = True) -> None:
        forget(self._run.place, GATE)
        self._run.journal.write(GateAnswered(GATE, approved=approved, by=by, note=note, given=""))

    async def _text(self, moved: BranchMovedBack) -> str:
        git, branch = git_at(await self._repository.place(moved.branch) or self._run.repo), moved.branch
        more = f"\n  and {moved.count - len(moved.missing)} more" if moved.count > len(moved.missing) else ""
        back = f"with {branch} checked out, {git} merge {moved.was}"
        if moved.now is None:
            back = f"{git} branch {shlex.quote(branch)} {moved.was}"
        kept = f"All of that is kept under {moved.kept}. " if moved.kept else ""
        listed = "\n  ".join(moved.missing)
        return (
            f"{branch} was moved back by others, to {moved.now or 'nothing: it is deleted'}. It lacks what "
            f"it had:\n  {listed}{more}\n{kept}To bring it back: {back}"
        )
