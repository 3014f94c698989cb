"""Whether work has really arrived in a branch, whatever way it was merged: what a host says is not proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kitty_run.git.command import Git, printable
from kitty_run.git.merge_apart import computed
from kitty_run.git.protocols import Conflict, Loss, Unmerged
from kitty_run.git.provenance import own
from kitty_run.git.workspaces.trees import changed, scratch_index


@dataclass(frozen=True, slots=True)
class _Missing:
    reason: str
    files: tuple[str, ...] = ()


async def unmerged(git: Git, target: str, heads: Mapping[str, str]) -> tuple[Unmerged, ...]:
    """The work packages of `heads` (id to commit) whose changes are not wholly in the commit `target`.

    A commit that another head contains is covered by it, and asked for by itself only if that one is
    missing: later work may have changed the same lines.
    """
    gone = await _gone(git, set(heads.values()))
    missing = {sha: _Missing(f"its commit {sha} is not in the repository") for sha in gone}
    outside = await _beyond(git, set(heads.values()) - gone, {target})
    tips = await _independent(git, outside)
    arrived: set[str] = set()
    for sha in [*sorted(tips), *sorted(outside - tips)]:
        if sha in tips or await _beyond(git, {sha}, arrived):
            lacking = await _lacking(git, target, sha)
            if lacking is None:
                arrived.add(sha)
            else:
                missing[sha] = lacking
    found = {wp: missing[sha] for wp, sha in heads.items() if sha in missing}
    return tuple(Unmerged(wp, lacking.reason, _printable(lacking.files)) for wp, lacking in found.items())


async def lost(git: Git, before: str, after: str, heads: Sequence[str], records: Sequence[str]) -> Loss:
    """Where `after` is not what merging `heads` into `before` comes to, but for the host's `records`."""
    tip, conflicts = await _together(git, before, heads)
    differing = own(await changed(git, tip, after), records)
    files = [path for path in differing if path not in conflicts]
    unsure = own([path for path in conflicts if path in differing], records)
    return Loss(_printable(files), tip, _printable(unsure))


async def adds_nothing(
    git: Git, before: str, heads: Sequence[str], more: str, records: Sequence[str]
) -> bool:
    """Whether merging `more` too changes nothing of what merging `heads` into `before` comes to."""
    tip, _ = await _together(git, before, heads)
    merge = await computed(git, tip, more)
    return not own((*merge.conflicts, *await changed(git, tip, merge.tree)), records)


async def _together(git: Git, before: str, heads: Sequence[str]) -> tuple[str, list[str]]:
    """A commit of what merging `heads` into `before` comes to, and the files in conflict."""
    tip, conflicts = before, list[str]()
    for head in await _independent(git, set(heads)):
        merge = await computed(git, tip, head)
        conflicts += [path for path in merge.conflicts if path not in conflicts]
        tip = await _join(git, merge.tree, tip, head)
    return tip, conflicts


async def conflict(git: Git, target: str, heads: Sequence[str], records: Sequence[str]) -> Conflict | None:
    """The first of `heads` that can't be merged with `target` and those before it; None: all can.

    Also where it can't be known: before git 2.38.
    """
    tip, merged = target, list[str]()
    for head in heads:
        merge = await computed(git, tip, head)
        if files := own(merge.conflicts, records) if merge.exact else ():
            others = [
                one for one in (target, *merged) if own((await computed(git, one, head)).conflicts, records)
            ]
            return Conflict(head, others[0] if others else target, _printable(files))
        tip = await _join(git, merge.tree, tip, head)
        merged.append(head)
    return None


async def _join(git: Git, tree: str, *parents: str) -> str:
    return await git.commit_tree(tree, parents, "computed apart by kitty-run")


def _printable(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(printable, paths))


async def _gone(git: Git, commits: set[str]) -> set[str]:
    """Those of `commits` that the repository does not have."""
    asked = "".join(f"{sha}^{{commit}}\n" for sha in sorted(commits))
    replies = (await git.run("cat-file", "--batch-check", stdin=asked)).splitlines()
    return {sha for sha, reply in zip(sorted(commits), replies, strict=True) if reply.endswith(" missing")}


async def _beyond(git: Git, commits: set[str], known: set[str]) -> set[str]:
    """Those of `commits` that none of `known` contains."""
    if not commits or not known:
        return commits
    names = [*sorted(commits), *(f"^{name}" for name in sorted(known))]  # git before 2.42 takes no --not here
    listed = await git.run("rev-list", "--stdin", stdin="".join(f"{name}\n" for name in names))
    return commits & set(listed.split())


async def _independent(git: Git, commits: set[str]) -> set[str]:
    """Those of `commits` that no other one of them contains."""
    if len(commits) < 2:
        return commits
    return set((await git.run("merge-base", "--independent", *sorted(commits))).split())


async def _lacking(git: Git, target: str, head: str) -> _Missing | None:
    """None where the work of `head` is in `target`, merged without trace of its commits."""
    if await _merge_adds_nothing(git, target, head):
        return None
    base = await git.call("merge-base", target, head)
    if base.status != 0:
        return _Missing(f"{head[:12]} and the target share no history")
    files = await _files_without(git, base.stdout.split()[0], head, target)
    return _Missing(f"changes of {head[:12]} are not found in the target", files) if files else None


async def _merge_adds_nothing(git: Git, target: str, head: str) -> bool:
    """For squashed and rebased work."""
    merge = await computed(git, target, head)
    return not merge.conflicts and merge.tree == await git.line("rev-parse", f"{target}^{{tree}}")


async def _files_without(git: Git, base: str, head: str, target: str) -> tuple[str, ...]:
    """Files of base..head that differ in `target`, and whose change is not found there either."""
    differing = set(await changed(git, head, target))
    candidates = [path for path in await changed(git, base, head) if path in differing]
    return tuple([path for path in candidates if not await _contains_change(git, base, head, target, path)])


async def _contains_change(git: Git, base: str, head: str, target: str, path: str) -> bool:
    """Whether the change of one file can be taken back out of `target`: then it is in there."""
    plain = ("diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--binary", "--full-index")
    patch = await git.run(*plain, base, head, "--", f":(top,literal){path}")
    async with scratch_index(git, target) as scratch:
        reply = await scratch.call("apply", "--cached", "--check", "--reverse", "-", stdin=patch)
    return reply.status == 0
