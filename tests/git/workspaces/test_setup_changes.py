"""What a setup left, while setups of other worktrees have git ignore the same."""

from __future__ import annotations

import asyncio

from kitty_run.git.command import Git
from kitty_run.git.guard.excluded import EXCLUDE, with_paths
from kitty_run.git.provenance import SPECS
from kitty_run.git.status import status
from kitty_run.git.workspaces import trees

from tests.git_repos import GitRepo

LEFT = ("venv/", "made [a].txt", "!odd")


def test_a_tree_leaves_out_what_git_begins_to_ignore_meanwhile(root: GitRepo, tree: GitRepo) -> None:
    for path in ("venv/deep/x", "made [a].txt", "!odd", "work.txt"):
        tree.write(path, "x")
    git = Git(tree.path, rooted=True, root=root.path)

    async def taken(*, ignored: bool) -> str:
        now = await status(git)
        if ignored:
            exclude = root.path / ".git" / EXCLUDE
            exclude.parent.mkdir(exist_ok=True)
            exclude.write_bytes(with_paths(b"", LEFT))
        return (await trees.take(git, SPECS, now, LEFT)).tree

    for ignored in (False, True):
        found = asyncio.run(taken(ignored=ignored))
        new = set(root.files(found)) - set(root.files())
        assert new == {"work.txt"}, ignored
