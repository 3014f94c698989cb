"""One work package's worktree: what an attempt changed in it, and what of that is kept.

A change below `kitty-specs/` is spec-kitty's to make, never an agent's: it is found in whatever form it
comes and undone without losing other work. What a reviewer changes is undone whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.git.aside import Aside, Goal, abort_merge, discard, keep
from kitty_run.git.command import Git, printable
from kitty_run.git.guard.nested import refuse_armed
from kitty_run.git.layout import under_way
from kitty_run.git.locks import clear_stale_locks
from kitty_run.git.protocols import Diff, Expected, Left, Repair, Snapshot, Trouble
from kitty_run.git.provenance import SPECS
from kitty_run.git.review_diff import review_diff
from kitty_run.git.status import Status, status
from kitty_run.git.workspaces import review_checkout, trees
from kitty_run.git.workspaces.landing import land
from kitty_run.git.workspaces.lost import make_anew
from kitty_run.git.workspaces.put_right import put_right
from kitty_run.git.workspaces.review_checkout import give_back, withhold
from kitty_run.git.workspaces.setup_changes import separate
from kitty_run.git.workspaces.wholeness import forget_half_made, make_whole
from kitty_run.git.workspaces.worktrees import WorkspaceConflict, add_worktree, merge_branches
from kitty_run.text.commands import command

__all__ = ["Diff", "Left", "Snapshot", "Workspace", "WorkspaceConflict"]


class Workspace:
    """The worktree at `path` of the repository at `root`; what is taken out of it is kept `aside`, and what
    is `private` is never committed. Every method raises `WorkspaceError` where git refuses, and where the
    worktree is none of that repository's (any more)."""

    def __init__(
        self, path: Path, root: Path, aside: Aside | None = None, private: Sequence[str] = ()
    ) -> None:
        self.path = Path(os.path.realpath(path))
        self._root = Path(os.path.realpath(root))
        self._git = Git(self.path, rooted=True, root=self._root)
        self._aside, self._private = aside or Aside(wp=self.path.name), private

    async def make_whole(self, *, untouched: bool) -> Repair | None:
        """Have the worktree hold every file of its commit; see `wholeness.make_whole`."""
        if await forget_half_made(self.path, self._root):
            return Repair("git was cut off while it made this worktree", removed=True)
        return await make_whole(self._git, self._root, self._aside, untouched=untouched)

    async def ensure(self, branch: str, base: str, merge: Sequence[str]) -> None:
        """Have the worktree on `branch` (made from `base` if missing) with the branches `merge` merged in.

        Raises `WorkspaceConflict` where they don't merge; the worktree is clean then.
        """
        await add_worktree(Git(self._root), self.path, branch, base)
        await self.ensure_branch(branch)
        await merge_branches(self._git, merge, self._undo_merge)

    async def _undo_merge(self, keeping: bool) -> None:
        why = "a merge of a dependency that was cut off"
        await abort_merge(self._git, self._aside if keeping else None, why)

    async def head(self) -> str:
        """The commit that is checked out."""
        return await self._git.line("rev-parse", "--verify", "HEAD^{commit}")

    async def branch(self) -> str | None:
        """The branch that is checked out; None: detached."""
        return await self._git.branch()

    async def fork_point(self, ref: str, known: Sequence[str] = ()) -> str:
        """The newest commit that HEAD and `ref` share, HEAD's own where they share none; or a later one of
        `known`, if it is on the branch itself and came by no merge."""
        reply = await self._git.call("merge-base", "HEAD", ref)
        start = reply.stdout.split()[0] if reply.status == 0 else await self.head()
        own = (await self._git.run("rev-list", "--first-parent", f"{start}..HEAD")).split() if known else []
        return next((commit for commit in own if commit in known), start)

    async def dirty(self) -> tuple[str, ...]:
        """Paths with uncommitted changes, untracked files that are not ignored included."""
        return _printable((await status(self._git)).dirty)

    async def snapshot(self) -> Snapshot:
        """The workspace as it is, uncommitted work included; nothing in it changes."""
        now = await status(self._git)
        taken = await trees.take(self._git, SPECS, now)
        return Snapshot(now.head, now.branch, taken.tree, _printable(now.dirty), taken.unread)

    async def snapshot_committed(self, commit: str = "HEAD", tree: str | None = None) -> Snapshot:
        """The workspace as `commit` has it, whatever is uncommitted in it.

        `tree` is all that it held at some time when `commit` was its head; where git has removed that
        since, the commit's own counts.
        """
        head, own = (await self._git.run("rev-parse", f"{commit}^{{commit}}", f"{commit}^{{tree}}")).split()
        there = tree is not None and await self._git.ok("cat-file", "-e", f"{tree}^{{tree}}")
        return Snapshot(head, await self.branch(), tree if tree is not None and there else own)

    async def ensure_branch(self, branch: str) -> None:
        """Have `branch` checked out, with the commits that were made beside it, if it only lies behind.

        For agents that made a branch of their own, or left HEAD detached. Raises `WorkspaceError` where
        that would lose work, a rebase is unfinished, or the branch is gone.
        """
        await clear_stale_locks(self._git, branch)
        if await self.branch() == branch:
            return
        await self._refuse_unfinished("rebase")
        tip = await self._git.commit_of(f"refs/heads/{branch}")
        if tip is None:
            raise WorkspaceError(
                f"{self.path}: the branch {branch} is gone; `git reflog` there shows its tip"
            )
        head = await self.head()
        if await self._git.contains(head, tip):
            await self._git.run(
                "update-ref", "-m", "kitty-run: bring work onto its branch", f"refs/heads/{branch}", head, tip
            )
            await self._git.run(
                "symbolic-ref", "-m", f"kitty-run: back to {branch}", "HEAD", f"refs/heads/{branch}"
            )
        elif await self._git.contains(tip, head):
            await self._git.run("checkout", "--quiet", branch, "--")
        else:
            raise WorkspaceError(
                f"{self.path}: {await self.branch() or 'a detached HEAD'} ({head[:12]}) is checked out, and "
                f"has parted from {branch} ({tip[:12]}). Bring its work there: "
                f"`{command('git', 'checkout', branch)}`, `git merge {head[:12]}`"
            )

    async def put_right(self, since: Snapshot, want: Expected) -> tuple[Trouble, ...]:
        """Undo what an attempt that began at `since` did and must not be handed in; see `put_right`."""
        return await put_right(self._git, self._root, self._aside, since, want)

    async def forbidden(self, since: Snapshot) -> tuple[str, ...]:
        """Paths below `kitty-specs/` that changed since, in commits or files, ignored ones included."""
        now = await status(self._git)
        as_committed = not now.below(SPECS) and not await trees.ignored(self._git, SPECS)
        tree = now.head if as_committed else (await trees.take(self._git, SPECS, now)).tree
        files = await trees.changed(self._git, since.tree, tree, SPECS)
        commits = await trees.changed(self._git, since.head, now.head, SPECS)
        return _printable(sorted({*files, *commits}))

    async def undo_forbidden(self, since: Snapshot) -> None:
        """Put `kitty-specs/` back as it was, and leave all other work.

        Commits that changed it are taken apart: their other changes are uncommitted afterwards.
        """
        await clear_stale_locks(self._git, await self.branch())
        await self._refuse_unfinished()
        if touched := await self.forbidden(since):
            goal, why = Goal(since.head, since.branch), f"changes below {SPECS}/"
            await keep(self._git, self._aside, why, goal, prefix=SPECS, files=touched)
        if await trees.changed(self._git, since.head, "HEAD", SPECS):
            await self._git.run("reset", "--quiet", "--soft", since.head)
        await self._git.run("reset", "--quiet", "HEAD", "--", f":(top,literal){SPECS}")
        await self._put_back(since)

    async def separate(self, since: Snapshot, left: Mapping[str, str]) -> tuple[str, ...]:
        """See `setup_changes.separate`."""
        return await separate(self._git, since, left, self._private)

    async def commit(self, message: str) -> str | None:
        """Commit everything that is not ignored and not below `kitty-specs/`; None: there was nothing.

        Concludes a merge whose conflicts are all resolved. Raises `WorkspaceError` for one that is not,
        and for a git repository inside the worktree, whose content a commit would leave behind.
        """
        now = await status(self._git)
        await clear_stale_locks(self._git, now.branch)
        await self._refuse_unfinished("rebase")
        await self._refuse_what_would_be_lost(now)
        merging = bool(under_way(self.path))
        if not now.entries and not merging:
            return None
        await refuse_armed(self._git)
        never = (SPECS, *(path for path in now.dirty if trees.is_below(path, self._private)))
        await self._git.run("add", "--all", "--sparse", ".", *(f":(top,exclude,literal){it}" for it in never))
        if not merging:
            if now.below(SPECS):
                await self._git.run("reset", "--quiet", "HEAD", "--", f":(top,literal){SPECS}")
            if await self._git.ok("diff-index", "--cached", "--quiet", "HEAD"):
                return None
        identity = await self._git.identity()
        await self._git.run(*identity, "commit", "--quiet", "--no-verify", "-F", "-", stdin=message)
        return await self.head()

    async def land(self, since: Snapshot, head: str, tree: str) -> None:
        """Have the workspace hold what was done in a copy of it; see `landing.land`."""
        await land(self._git, self._aside, since, await self.snapshot(), (head, tree))

    async def left(self, since: Snapshot, base: str) -> Left:
        """What an attempt that began at `since` left, and what is on top of `base`; nothing changes."""
        now = await self.snapshot()
        plain = ("log", "--format=%h %s", "--no-color", "--no-show-signature")
        commits = await self._git.line(*plain, f"{base}..HEAD")
        return Left(
            changed=_printable(await trees.changed(self._git, since.tree, now.tree)),
            commits=_printable(commits.splitlines()),
            uncommitted=now.dirty,
        )

    async def own_changes(self, base: str) -> bool:
        """Whether the committed content differs from `base` (the head right after the allocation)."""
        return bool(await self.diff_files(base))

    async def diff_files(self, base: str) -> tuple[str, ...]:
        """Files that the commits since `base` change, taken together."""
        return _printable(await trees.changed(self._git, base, "HEAD"))

    async def diff(self, base: str, limit_bytes: int, generated: Sequence[str]) -> Diff:
        """What the commits since `base` change, as a reviewer reads it; `generated` are names of files."""
        return await review_diff(self._git, base, limit_bytes, generated)

    async def discard(self, since: Snapshot, why: str) -> tuple[str, ...]:
        """Put everything back to `since`, a snapshot of a clean workspace; returns what had been changed.

        Commits, branch, index and files, but for ignored ones; they are kept first, and `why` is
        reported with them. `HEAD` means commits or a branch that changed no file.
        """
        await make_anew(self._root, self.path, self._aside, since.branch, since.head)
        await clear_stale_locks(self._git, since.branch)
        now = await self.snapshot()
        moved = (now.head, now.branch) != (since.head, since.branch)
        files = {*await trees.changed(self._git, since.tree, now.tree), *now.dirty}
        if not moved and not files:
            return ()
        await self._git.run("cat-file", "-e", f"{since.head}^{{commit}}")
        files.update(await trees.changed(self._git, since.head, now.head))
        await discard(self._git, self._aside, why, Goal(since.head, since.branch), prefix=SPECS)
        await self._put_back(since)
        return _printable(sorted(files)) or ("HEAD",)

    async def open_review(self, commit: str, base: str, followed: Sequence[str]) -> Workspace:
        """A worktree apart for a reviewer, made now: it holds `commit`, but for what is `withheld`."""
        await self.close_review(None, "left by a reviewer that was cut off")
        path = review_checkout.place_of(self._root, self.path)
        await review_checkout.make(self._root, path, self._aside, commit)
        await withhold(Git(path, rooted=True, root=self._root), self._root, commit, base, followed)
        return Workspace(path, self._root, self._aside)

    async def close_review(self, commit: str | None, why: str) -> tuple[str, ...]:
        """Remove that worktree, if there is one; what was changed in it is kept first, and returned.

        `commit` is what the reviewer was started on, None: none was. Ignored files there are not kept.
        """
        root, path = self._root, review_checkout.place_of(self._root, self.path)
        if not review_checkout.exists(root, path):
            return ()
        files: tuple[str, ...] = ()
        begun = commit or await self.head()
        found = await review_checkout.look(root, path) if path.exists() else "gone"
        if found == "whole":
            there = Workspace(path, root, self._aside)
            start = await there.snapshot_committed(commit or "HEAD")
            await give_back(there._git, root, start.head, (await there.snapshot()).tree)
            files = await there.discard(replace(start, branch=None), why)
        elif found == "strange":
            await review_checkout.move_away(root, path, self._aside, begun, why)
            files = (path.name,)
        await review_checkout.remove(root, path, self._aside, begun)
        return files

    async def _put_back(self, since: Snapshot) -> None:
        """Make `kitty-specs/` in the worktree what it was."""
        now = (await trees.take(self._git, SPECS, await status(self._git))).tree
        paths = await trees.changed(self._git, since.tree, now, SPECS)
        await trees.put_back(self._git, since.tree, [path for path in paths if path not in since.unread])

    async def _refuse_unfinished(self, *operations: str) -> None:
        for operation in under_way(self.path):
            if operation in operations or not operations:
                raise WorkspaceError(
                    f"{self.path}: a {operation} was left unfinished there; end it "
                    f"(git {operation} --continue, or git {operation} --abort) and run again"
                )

    async def _refuse_what_would_be_lost(self, now: Status) -> None:
        if now.conflicting:
            raise WorkspaceError(
                f"{self.path}: conflicts were left unresolved in {', '.join(_printable(now.conflicting))}; "
                "resolve them and commit (or git merge --abort), then run again"
            )
        if found := (*now.repositories, *await trees.linked(self._git)):
            names = ", ".join(_printable(found))
            raise WorkspaceError(
                f"{self.path}: {names} is a git repository of its own, of which a commit "
                "would keep only a link. Remove its .git to keep the files, or remove it, then run again"
            )


def _printable(paths: Iterable[str]) -> tuple[str, ...]:
    """Paths for people, prompts and the journal: names that are not UTF-8 would break those."""
    return tuple(printable(path) for path in paths)
