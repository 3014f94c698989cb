"""The root checkout and what all worktrees share: status commits, merge proofs, and refs that keep work.

The runner calls none of this while a host call is under way: both would write the root's index.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.git import merge_proof, provenance, remotes
from kitty_run.git.aside import NAMESPACE, Aside, OnKept, abort_merge, hold, reset_branch, unreported
from kitty_run.git.command import Git, printable
from kitty_run.git.layout import begun, checked_out
from kitty_run.git.locks import index_lock
from kitty_run.git.protocols import Conflict, Loss, Standing, Unmerged
from kitty_run.git.provenance import Foreign
from kitty_run.git.root_state import AbortedMerge, BroughtIn, Dirt, RootState
from kitty_run.git.status import status
from kitty_run.git.workspaces.root_merge import bring_in
from kitty_run.git.workspaces.worktrees import Worktree, list_worktrees

__all__ = ["Repository", "Unmerged", "Worktree"]

LOCK_PATIENCE, LOCK_POLL = 10.0, 0.1
"""Seconds to wait for the root's index, and between two looks."""


PLAIN_NAME = re.compile(r"(?!refs/|HEAD$|[A-Z]+_HEAD$|[0-9a-f]{40}([0-9a-f]{24})?$).+")
"""A name that git looks for among tags before it does among branches."""


class Repository:
    """The repository whose main checkout is `root`. Methods raise `WorkspaceError` where git refuses.

    `on_kept` is called with what is kept before it is taken away. `records` are the host's own: files, and
    folders with a slash at their end.
    """

    def __init__(self, root: Path, on_kept: OnKept = unreported, records: Sequence[str] = ()) -> None:
        self.root = Path(os.path.realpath(root))
        self._git = Git(self.root)
        self._on_kept = on_kept
        self._records = tuple(records)

    async def current_branch(self) -> str | None:
        """The branch that the root has checked out; None: detached."""
        return await self._git.branch()

    async def resolve(self, ref: str) -> str | None:
        """The commit of `ref`, None where there is none. A branch goes before a tag of the same name."""
        if not PLAIN_NAME.fullmatch(ref):
            return await self._git.commit_of(ref)
        return await self._git.commit_of(f"refs/heads/{ref}") or await self._git.commit_of(ref)

    async def glance(self, worktree: Path | None = None) -> RootState:
        """What is checked out and under way at the root, and whether a git changes the index there, or in
        `worktree`.

        Without a call of git where refs are kept in files and no merge is under way: it is asked before every
        host call. A merge of a commit that `keep` recorded is taken for the host's, which is then named by
        whatever it is in the way of; what is aborted is not decided by that, see `abort_merge`.
        """
        branch = checked_out(self.root) or await self._git.branch()
        place = worktree if worktree is not None and worktree.is_dir() else self.root
        lock, since = index_lock(place) or (None, None)
        operation = begun(self.root)
        if operation == "merge" and await self.merging() in await self._held():
            operation = None
        return RootState(branch, lock, since, operation)

    async def dirt(self) -> Dirt:
        """What is uncommitted at the root."""
        entries = (await status(self._git)).entries
        return Dirt(
            tuple(entry.path for entry in entries if entry.staged),
            tuple(entry.path for entry in entries if not entry.staged and not entry.untracked),
            tuple(entry.path for entry in entries if entry.untracked),
        )

    async def dirty_tracked(self) -> tuple[str, ...]:
        """Tracked files of the root with uncommitted changes, staged ones included."""
        return (await status(self._git, "--untracked-files=no")).dirty

    async def commit_status(
        self, mission_dir: Path, message: str, worktree: Path | None = None
    ) -> str | None:
        """Commit what the host wrote below `mission_dir`, and nothing else; None: there was nothing.

        `mission_dir` lies at the root, or in a linked `worktree` of the host's. What the user has staged
        elsewhere stays staged and uncommitted.
        """
        top = self.root if worktree is None else worktree.resolve()
        git = self._git if worktree is None else Git(top, rooted=True, root=self.root)
        where = f":(top,literal){mission_dir.resolve().relative_to(top).as_posix()}"
        if not await git.paths("status", "--porcelain=v1", "-z", "--untracked-files=all", "--", where):
            return None
        await self._wait_for_index(git)
        await git.run("add", "--all", "--sparse", "--", where)
        identity = await git.identity()
        await git.run(*identity, "commit", "--quiet", "--no-verify", "-m", message, "--only", "--", where)
        return await git.line("rev-parse", "HEAD")

    async def bring_in(self, branch: str, commit: str, message: str) -> BroughtIn:
        """Have `branch`, which the root has checked out, contain `commit`; see `root_merge.bring_in`."""
        await self._wait_for_index(self._git)
        return await bring_in(self._git, branch, commit, message)

    async def verify_merged(self, target: str, heads: Mapping[str, str]) -> tuple[Unmerged, ...]:
        """The work packages of `heads` (id to commit) that are not wholly in the branch `target`.

        Also where branches were deleted, or the work was squashed or rebased.
        """
        commit = await self.resolve(target)
        if commit is None:
            raise WorkspaceError(
                f"{self.root}: there is no branch or commit {target!r} to look for the work in"
            )
        return await merge_proof.unmerged(self._git, commit, heads)

    async def merging(self) -> str | None:
        """The commit whose merge was begun at the root and not ended."""
        return await self.resolve("MERGE_HEAD")

    async def abort_merge(self, mission: str, heads: Mapping[str, str]) -> AbortedMerge | None:
        """Undo a merge that a host left unfinished at the root; None: there was none.

        Only a merge of one of `heads` (work package to commit): any other is the user's own.
        """
        commit = await self.merging()
        wp = next((wp for wp, head in heads.items() if head == commit), None)
        if commit is None or wp is None:
            return None
        files = await self._git.paths("diff", "--name-only", "--diff-filter=U", "-z")
        aside = Aside(mission, wp, self._on_kept)
        await abort_merge(self._git, aside, "a merge at the root checkout that was left half done")
        return AbortedMerge(commit, tuple(map(printable, files)))

    async def cleanup(self, worktrees: Sequence[Path], branches: Sequence[str], target: str) -> None:
        """Remove those worktrees and branches whose work is all committed and contained in `target`."""
        goal = await self.resolve(target)
        if goal is None:
            return
        known = {worktree.path: worktree for worktree in (await list_worktrees(self._git))[1:]}
        for path in worktrees:
            found = known.get(Path(os.path.realpath(path)))
            if found is not None and await self._is_spent(found, goal):
                await self._git.run("worktree", "remove", str(found.path))
        for branch in branches:
            await self._remove_branch(branch, goal)

    async def keep(self, mission: str, name: str, sha: str) -> str:
        """Have `refs/kitty-run/MISSION/NAME` hold the commit `sha` (in full), so that git does not remove it.

        Returns the ref's name. What it holds later is no proof of anything: whoever commits here can change
        it. Earlier commits stay in its reflog (`git reflog refs/kitty-run/MISSION/NAME`).
        """
        ref = f"{NAMESPACE}/{mission}/{name}"
        return ref if await self.resolve(ref) == sha else await hold(self._git, ref, sha)

    async def kept(self, mission: str) -> dict[str, str]:
        """What the refs of `mission` hold now, by their names: to be compared with the journal."""
        folder = f"{NAMESPACE}/{mission}/"
        return {ref.removeprefix(folder): commit for ref, commit in (await self._refs(folder)).items()}

    async def tips(self, branches: Sequence[str]) -> dict[str, str]:
        """The commits that those of `branches` which are there are at."""
        refs = {f"refs/heads/{branch}": branch for branch in branches}
        return {refs[ref]: commit for ref, commit in (await self._refs(*refs)).items() if ref in refs}

    async def lacking(self, tip: str | None, was: str) -> tuple[str, ...]:
        """The commits of `was` that `tip` does not contain, each with its title, the newest first."""
        if await self._git.commit_of(was) is None:
            return (f"{was[:10]}, which is not in the repository any more",)
        listed = await self._git.run(
            "log", "--topo-order", "--format=%h %s", was, *([f"^{tip}"] if tip else [])
        )
        return tuple(map(printable, listed.splitlines()))

    async def standing(self, branch: str, reviewed: Sequence[str], known: Sequence[str]) -> Standing | None:
        """How `branch` relates to its `reviewed` commits; what `known` contains is left out."""
        tip = await self.resolve(f"refs/heads/{branch}")
        if tip is None:
            return None
        present = [commit for commit in dict.fromkeys(reviewed) if await self.resolve(commit)]
        missing = [one for one in reviewed if one not in present or not await self._git.contains(tip, one)]
        tops = (await self._git.run("merge-base", "--independent", *present)).split() if present else []
        foreign = await provenance.foreign(self._git, tip, [*present, *known], self._records)
        if not reviewed:
            return Standing(tip, foreign, (), await provenance.below(self._git, tip, foreign))
        return Standing(tip, foreign, tuple(missing), tops[0] if len(tops) == 1 else None)

    async def put_back(self, mission: str, wp: str, branch: str, commit: str) -> str:
        """Have `branch` at `commit` again; returns the ref that keeps what it was at."""
        why = f"{branch} was not at what was reviewed"
        return (await reset_branch(self._git, Aside(mission, wp, self._on_kept), why, branch, commit)).ref

    async def restore(self, branch: str, commit: str) -> None:
        """Have the branch, which is not there any more, at `commit` again."""
        await self._git.run(
            "update-ref", "-m", "kitty-run: restored", f"refs/heads/{branch}", commit, "0" * 40
        )

    async def hidden(self, branches: Sequence[str]) -> tuple[str, ...]:
        """Those of `branches` whose plain name leads git elsewhere: to a tag of that name, say."""
        asked = "".join(f"{name}^{{commit}}\nrefs/heads/{name}^{{commit}}\n" for name in branches)
        found = (await self._git.run("cat-file", "--batch-check=%(objectname)", stdin=asked)).splitlines()
        pairs = zip(branches, found[::2], found[1::2], strict=True)
        return tuple(name for name, plain, own in pairs if plain != own and not own.endswith(" missing"))

    async def changes_nothing(self, target: str, heads: Sequence[str], branch: str) -> bool:
        """Whether merging `branch` too changes nothing of what merging `heads` into `target` comes to."""
        before, tip = await self.resolve(target), await self.resolve(f"refs/heads/{branch}")
        return (
            before is not None
            and tip is not None
            and await merge_proof.adds_nothing(self._git, before, heads, tip, self._records)
        )

    async def place(self, branch: str) -> Path | None:
        """The directory in which `branch` is checked out."""
        found = [one.path for one in await list_worktrees(self._git) if one.branch == branch]
        return found[0] if found else None

    async def brought(self, before: str, target: str, known: Sequence[str]) -> tuple[Foreign, ...]:
        """The commits of `target` since `before` that none of `known` contains, the host's own left out."""
        present = [commit for commit in dict.fromkeys(known) if await self.resolve(commit)]
        tip = await self.resolve(target) or target
        return await provenance.foreign(self._git, tip, [before, *present], self._records)

    async def conflict(self, target: str, heads: Sequence[str]) -> Conflict | None:
        """The first of `heads` that can't be merged with `target` and those before it; None: all can."""
        return await merge_proof.conflict(
            self._git, await self.resolve(target) or target, heads, self._records
        )

    async def lost(self, before: str, target: str, heads: Sequence[str]) -> Loss:
        """Where `target` is not what merging `heads` into `before` comes to."""
        after = await self.resolve(target) or target
        return await merge_proof.lost(self._git, before, after, heads, self._records)

    async def remote_of(self, branch: str) -> str:
        """The remote that `branch` is pushed to."""
        return await remotes.remote_of(self._git, branch)

    async def is_on(self, remote: str, branch: str) -> bool:
        """Whether the remote itself shows `branch` at, or beyond, what it is at here."""
        return await remotes.is_on(self._git, remote, branch)

    async def push(self, remote: str, branch: str) -> str | None:
        """Push `branch`, never with force; None, or git's own words for why not."""
        return await remotes.push(self._git, remote, branch)

    @staticmethod
    async def _wait_for_index(git: Git) -> None:
        """Let another git in the checkout (an editor's, say) end first; git itself would fail at once."""
        lock = git.cwd / await git.line("rev-parse", "--git-path", "index.lock")
        for _ in range(round(LOCK_PATIENCE / LOCK_POLL)):
            if not lock.exists():
                return
            await asyncio.sleep(LOCK_POLL)

    async def _held(self) -> set[str]:
        return set((await self._refs(NAMESPACE)).values())

    async def _refs(self, *patterns: str) -> dict[str, str]:
        """The commits of the refs that `patterns` find, by the refs' whole names."""
        listed = await self._git.run("for-each-ref", "--format=%(refname) %(objectname)", *patterns)
        pairs = (line.partition(" ") for line in listed.splitlines())
        return {ref: commit for ref, _, commit in pairs}

    async def _is_spent(self, worktree: Worktree, goal: str) -> bool:
        if worktree.head is None or not worktree.path.is_dir():
            return False
        if (await status(Git(worktree.path, rooted=True, root=self.root))).entries:
            return False
        return await self._git.contains(goal, worktree.head)

    async def _remove_branch(self, branch: str, goal: str) -> None:
        """Remove `branch` if `goal` contains it; git keeps one that is checked out anywhere."""
        tip = await self.resolve(f"refs/heads/{branch}")
        if tip is not None and await self._git.contains(goal, tip):
            await self._git.call("branch", "--quiet", "-D", "--", branch)
