"""Work brought onto the branch that the root checkout has checked out, beside whatever people do there.

The merge is computed apart, and the root only moves forward to it: what people have uncommitted there is in
no commit of the runner's, and nothing of theirs is overwritten.
"""

from __future__ import annotations

from kitty_run.git.command import Git
from kitty_run.git.merge_apart import computed
from kitty_run.git.root_state import BroughtIn


async def bring_in(git: Git, branch: str, commit: str, message: str) -> BroughtIn:
    """Have `branch`, which is checked out at the root of `git`, contain `commit`.

    Raises `WorkspaceError` where git refuses the rest; what is in the way at the root is in the reply.
    """
    if await git.branch() != branch:
        return BroughtIn(in_the_way=f"the root checkout does not have {branch} checked out")
    ours = await git.line("rev-parse", "--verify", "HEAD^{commit}")
    if await git.contains(ours, commit):
        return BroughtIn()
    goal = commit
    if not await git.contains(commit, ours):
        merged = await computed(git, ours, commit)
        if merged.conflicts:
            return BroughtIn(conflicts=merged.conflicts)
        goal = await git.commit_tree(merged.tree, (ours, commit), message)
    reply = await git.call("merge", "--ff-only", "--no-overwrite-ignore", "--no-stat", "--quiet", goal)
    if reply.status == 0:
        return BroughtIn(commit=goal)
    words = (line.strip() for line in reply.stderr.splitlines())
    return BroughtIn(in_the_way=" ".join(line for line in words if line))
