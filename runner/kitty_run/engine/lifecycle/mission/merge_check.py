"""What a merge brought into the target, and what it did to the target's own work: proven with git."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.mission.reviewed_heads import ReviewedHeads
from kitty_run.engine.lifecycle.unfinished import Unfinished
from kitty_run.git.protocols import Loss, RepositoryPort
from kitty_run.git.provenance import Foreign
from kitty_run.profile.model import Merge

BEFORE, TOLD = "target-before-merge", "unreviewed"
"""Names of refs: what the target was before the merge, and a commit that was named to people."""


class MergeCheck:
    """Compares the target before and after one mission's merge."""

    def __init__(self, run: Run, repository: RepositoryPort, heads: ReviewedHeads) -> None:
        self._run = run
        self._repository = repository
        self._heads = heads

    async def before(self, target: str) -> None:
        """Keep what the target is at, so that it is found again whatever the merge does."""
        if commit := await self._repository.resolve(target):
            await self._repository.keep(self._run.board.mission, BEFORE, commit)

    async def moved(self, target: str) -> bool:
        """Whether the target is not at what was kept before the merge."""
        before = await self._repository.kept(self._run.board.mission, BEFORE)
        return before is not None and before != await self._repository.resolve(target)

    async def after(self, merge: Merge, target: str, heads: Mapping[str, str]) -> None:
        """Raises `Unfinished` where something came in that nobody reviewed, or target's work is gone."""
        mission = self._run.board.mission
        before = await self._repository.kept(mission, BEFORE)
        if before is None:
            return  # merged by other means, or by an earlier version
        loss = await self._repository.lost(before, target, tuple(heads.values()))
        known = (*self._heads.known(), *heads.values())
        brought = await self._repository.brought(before, target, known)
        await self._judge_commits(
            target, loss, [one for one in brought if merge.strategy == "merge" or one.merge]
        )
        await self._judge_content(target, loss)

    async def _judge_commits(self, target: str, loss: Loss, strangers: Sequence[Foreign]) -> None:
        """Name what nobody reviewed; once it was named, and nothing of it is left, it is settled."""
        mission, repository = self._run.board.mission, self._repository
        settled = loss.expected is not None and not loss.files and await repository.kept(mission, TOLD)
        if not strangers or settled:
            return
        await repository.keep(mission, TOLD, strangers[0].commit)
        listed = "\n  ".join(map(str, strangers))
        commits = " ".join(one.commit[:10] for one in strangers)
        raise Unfinished(
            f"merged into {target}, but with commits that nobody reviewed:\n  {listed}\nLook at them "
            f"(git -C {self._run.repo} show {commits}), and take back what does not belong there, with "
            f"{target} checked out: git -C {self._run.repo} revert COMMIT. {self._before()}"
        )

    async def _judge_content(self, target: str, loss: Loss) -> None:
        mission = self._run.board.mission
        if loss.expected is None:
            self._run.notice(
                f"the merge can't be computed apart ({loss.why}); {target}'s own changes were looked for "
                "file by file"
            )
        if not loss.files:
            return
        restore = f"compare with {self._ref(BEFORE)}"
        if loss.expected is not None:
            await self._repository.keep(mission, "expected-merge", loss.expected)
            files = " ".join(shlex.quote(file) for file in loss.files)
            git = f"git -C {shlex.quote(str(self._run.repo))}"
            restore = (
                f"with {target} checked out, {git} checkout {self._ref('expected-merge')} -- {files} "
                f"&& {git} commit -m 'Bring back what the merge took away' "
                "(a file that is not there is to be removed with git rm)"
            )
        raise Unfinished(
            f"merged into {target}, but what is there is not what {target} and the reviewed work come to, "
            f"in: {', '.join(loss.files[:20])}. The target's own changes there are lost, "
            f"or changes came in that nobody reviewed.\nTo restore: {restore}; then run again. "
            f"{self._before()}"
        )

    def _before(self) -> str:
        return f"What it was before the merge is kept under {self._ref(BEFORE)}."

    def _ref(self, name: str) -> str:
        return f"refs/kitty-run/{self._run.board.mission}/{name}"
