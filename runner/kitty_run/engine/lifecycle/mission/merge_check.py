"""What a merge brought into the target, and what it did to the target's own work: proven with git."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.mission.reviewed_heads import ReviewedHeads
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.engine.state.events import MergeQuestioned
from kitty_run.git.protocols import Loss, RepositoryPort
from kitty_run.git.provenance import Foreign
from kitty_run.profile.finish import Merge
from kitty_run.text.commands import git_at

BEFORE, EXPECTED = "target-before-merge", "expected-merge"
"""Names of refs: what the target was before the merge, and what it must be after it."""


class MergeCheck:
    """Compares the target before and after one mission's merge."""

    def __init__(self, run: Run, repository: RepositoryPort, heads: ReviewedHeads) -> None:
        self._run = run
        self._repository = repository
        self._heads = heads

    async def before(self, target: str) -> str | None:
        """What the target is at; it is kept, so that it is found again whatever the merge does."""
        if commit := await self._repository.resolve(target):
            await self._repository.keep(self._run.board.mission, BEFORE, commit)
        return commit

    async def moved(self, target: str) -> bool:
        """Whether the target is not at what it was before the merge."""
        before = self._run.memory.before
        return before is not None and before != await self._repository.resolve(target)

    async def after(self, merge: Merge, target: str, heads: Mapping[str, str]) -> None:
        """Raises `Unfinished` where something came in that nobody reviewed, or target's work is gone."""
        before = self._run.memory.before
        if before is None:
            if self._run.earlier.merged is None:
                self._run.notice(
                    f"the work was merged before this run, and no journal of kitty-run says what {target} "
                    "was at then: what came in with it, and whether anything was lost, is not compared"
                )
            return
        loss = await self._repository.lost(before, target, tuple(heads.values()))
        known = (*self._run.reviewed(), *heads.values())
        brought = await self._repository.brought(before, target, known)
        await self._judge_commits(
            target, loss, [one for one in brought if merge.strategy == "merge" or one.merge]
        )
        await self._judge_content(target, loss)

    async def _judge_commits(self, target: str, loss: Loss, strangers: Sequence[Foreign]) -> None:
        """Name what nobody reviewed; once it was named, and nothing of it is left, it is settled."""
        settled = not loss.files and not loss.unsure and "commits" in self._run.memory.questioned
        if not strangers or settled:
            return
        await self._heads.ask_about(strangers[0].commit)
        listed = "\n  ".join(map(str, strangers))
        commits = " ".join(one.commit[:10] for one in strangers)
        raise Unfinished(
            f"merged into {target}, but with commits that nobody reviewed:\n  {listed}\nLook at them "
            f"({self._git} show {commits}), and take back what does not belong there, with "
            f"{target} checked out: {self._git} revert COMMIT. {self._before()}"
        )

    async def _judge_content(self, target: str, loss: Loss) -> None:
        if loss.unsure:
            await self._judge_conflicts(target, loss)
        if not loss.files:
            return
        raise Unfinished(
            f"merged into {target}, but what is there is not what {target} and the reviewed work come to, "
            f"in: {', '.join(loss.files[:20])}. The target's own changes there are lost, "
            f"or changes came in that nobody reviewed.\nTo restore: {await self._restoring(target, loss)}; "
            f"then run again. {self._before()}"
        )

    async def _restoring(self, target: str, loss: Loss) -> str:
        await self._repository.keep(self._run.board.mission, EXPECTED, loss.expected)
        return (
            f"with {target} checked out, {self._git} checkout {loss.expected} -- {_quoted(loss.files)} "
            f"&& {self._git} commit -m 'Bring back what the merge took away' "
            "(a file that is not there is to be removed with git rm)"
        )

    async def _judge_conflicts(self, target: str, loss: Loss) -> None:
        """Of what the host made of conflicts nobody has seen anything: a person is asked to look once.

        Once that was asked and the target has moved on, what is there is taken as theirs.
        """
        now, asked = await self._repository.resolve(target), self._run.memory.questioned.get("conflicts")
        named = ", ".join(loss.unsure[:20])
        if asked is not None and asked != now:
            return self._run.notice(f"conflicts of the merge, taken as resolved by hand: {named}")
        if now is not None:
            self._run.journal.write(MergeQuestioned("conflicts", now))
        files = _quoted(loss.unsure)
        raise Unfinished(
            f"merged into {target}, but {target} and the reviewed work conflict in: {named}. Nobody has "
            f"seen what the host made of it.\n"
            f"Compare: {self._git} diff {self._run.memory.before} {target} -- {files}\n"
            f"Put it right, and commit that with {target} checked out ({self._git} commit --allow-empty -m "
            f"'Look at the conflicts' -- {files}, if nothing is to be changed); then run again. "
            f"{self._before()}"
        )

    @property
    def _git(self) -> str:
        return git_at(self._run.repo)

    def _before(self) -> str:
        return f"Before the merge it was at {self._run.memory.before}."


def conflict_text(wp: str, workspace: Path, other: str, files: Sequence[str]) -> str:
    """Where a work package can't be merged with the branch `other`, and how a person resolves it."""
    return (
        f"not merged: the work of {wp} conflicts with {other}, in {', '.join(files[:20])}.\n"
        "Nothing is lost: every work package's commits are on its branch. "
        f"{resolution(workspace, other, files)}"
    )


def resolution(workspace: Path, other: str, files: Sequence[str]) -> str:
    """How a person resolves the conflicts of the branch in `workspace` with `other`, in commands to paste."""
    git = git_at(workspace)
    return (
        "Resolve that on its branch:\n"
        f"  {git} merge {shlex.quote(other)}\n"
        f"  (edit {', '.join(files[:20])})\n"
        f"  {git} add -- {_quoted(files)} && {git} commit --no-edit\n"
        "then run again."
    )


def _quoted(files: Sequence[str]) -> str:
    return " ".join(map(shlex.quote, files))
