"""A reviewer's own checkout: a worktree apart that holds the reviewed commit, and nothing besides.

Ignored files of the implementer's worktree (dependencies, build output, `.env`, instructions for agents that
`.git/info/exclude` hides) and what its index hides from `git status` could have a reviewer judge something
else than what is merged. They stay where they are, for the next round of rework.

An agent follows instructions, settings and programs that it finds where it works: what the commits under
review change of these is withheld from the checkout, to be judged in the diff.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Literal

from kitty_run.errors import WorkspaceError
from kitty_run.git.aside import Aside, folder_of, keep_commit
from kitty_run.git.command import Git
from kitty_run.git.layout import admin_dir, check_belongs, linked_worktrees
from kitty_run.git.locks import wait_for_git
from kitty_run.git.workspaces import trees

FOLDER = Path(".worktrees", "kitty-run-review")
"""Below the root checkout. Hosts look at what is right below `.worktrees` and is a worktree."""
LINKS = 5
"""How many links that lead to links are followed."""
LONG_AGO = 1_000_000_000
_RECORD = "kitty-run-withheld"


def place_of(root: Path, workspace: Path) -> Path:
    """Where what is worked on in `workspace` is reviewed: always the same place, as agents remember it."""
    return root / FOLDER / f"review-{workspace.name}"  # git names what it notes of it by this


async def make(root: Path, path: Path, aside: Aside, commit: str) -> None:
    """Have the worktree `path` hold `commit`, with no branch checked out. There is none yet."""
    for folder in (root / FOLDER.parent, path.parent, path):
        if folder.is_symlink() or (folder == path and os.path.lexists(path)):
            _move(root, folder, aside, commit)  # a link would have the files written elsewhere
    await Git(root).run("worktree", "add", "--quiet", "--detach", "--force", str(path), commit)


def exists(root: Path, path: Path) -> bool:
    """Whether there is anything at `path`, or git knows a worktree there."""
    return os.path.lexists(path) or path in linked_worktrees(root)


async def look(root: Path, path: Path) -> Literal["whole", "half made", "strange"]:
    """What is at `path`, once no git of a killed run is at work there any more.

    strange: no worktree of the repository at `root`, or one of which a part is missing.
    """
    own = admin_dir(root, path)
    if own is None:
        return "strange"
    await wait_for_git(path, (own / "locked", own / "index.lock"))
    if (own / "locked").exists():
        return "half made"
    with suppress(WorkspaceError):
        check_belongs(path, root)
        return "whole" if (own / "index").exists() else "strange"
    return "strange"


async def move_away(root: Path, path: Path, aside: Aside, commit: str, why: str) -> None:
    """Move what is at `path` out of the way, and record where to."""
    moved = _move(root, path, aside, commit)
    await keep_commit(Git(root), aside, commit, f"{why}; it was no worktree any more, and is in {moved} now")


async def remove(root: Path, path: Path, aside: Aside, commit: str) -> None:
    """Remove the worktree `path`; what of it can't be removed is moved away."""
    repo = Git(root)
    drop = ("worktree", "remove", "--force", "--force", str(path))
    if not await repo.ok(*drop) and os.path.lexists(path):
        _move(root, path, aside, commit)
    if path in linked_worktrees(root):
        await repo.run(*drop)
    with suppress(OSError):  # others are reviewed
        path.parent.rmdir()


def _move(root: Path, path: Path, aside: Aside, commit: str) -> Path:
    """Move it to where the repository keeps what git can't; nothing is removed."""
    target = folder_of(root) / f"{aside.name(commit)}-{path.name}"
    while os.path.lexists(target):
        target = target.with_name(f"{target.name}-1")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_symlink():
            path.chmod(0o700)
        shutil.move(path, target)
    except OSError as error:
        raise WorkspaceError(f"{path} can't be moved to {target}: {error.strerror}") from error
    return target


async def withhold(git: Git, root: Path, commit: str, base: str, names: Sequence[str]) -> None:
    """Have the fresh checkout of `commit` hold `base`'s version of the files that an agent follows.

    `names` are files and folders, such as `AGENTS.md` or `.github/hooks`, at any depth.
    """
    wanted = [PurePosixPath(name.lower()).parts for name in names]
    targets = _targets(await _links(git, base) if wanted else {}, wanted)
    changed = await trees.changed(git, base, commit)
    paths = [path for path in changed if _follows(path, wanted) or _below(path, targets)]
    own = admin_dir(root, git.cwd)
    if paths and own is not None:
        record = {"base": base, "paths": [os.fsencode(path).hex() for path in paths]}
        (own / _RECORD).write_text(json.dumps(record), encoding="utf-8")
        await trees.put_back(git, base, paths)
        for path in paths:
            with suppress(FileNotFoundError):  # git would not look into one of the same size and second
                os.utime(git.cwd / path, (LONG_AGO, LONG_AGO), follow_symlinks=False)


async def give_back(git: Git, root: Path, commit: str, tree: str) -> None:
    """Have the checkout hold what `commit` has of the files that were withheld; `tree` is what it holds now.

    Those that the reviewer changed stay as they are.
    """
    own = admin_dir(root, git.cwd)
    if own is None or not (own / _RECORD).is_file():
        return
    record = json.loads((own / _RECORD).read_text(encoding="utf-8"))
    withheld = [os.fsdecode(bytes.fromhex(path)) for path in record["paths"]]
    changed = await trees.changed(git, record["base"], tree)
    await trees.put_back(git, commit, [path for path in withheld if path not in changed])


def _follows(path: str, wanted: Iterable[tuple[str, ...]]) -> bool:
    """Whether `path` is one of the names or below one, whatever the case, or a link on the way to one."""
    parts = PurePosixPath(path.lower()).parts
    for name in wanted:
        ends = range(1, len(name))
        if any(parts[at : at + len(name)] == name for at in range(len(parts))):
            return True
        if any(parts[-length:] == name[:length] for length in ends):
            return True
    return False


async def _links(git: Git, base: str) -> dict[str, str]:
    """Where the symbolic links of `base` lead to inside the tree, by their paths."""
    entries = await git.paths("ls-tree", "-r", "-z", base)
    found = {}
    for entry in entries:
        if entry.startswith("120000 "):
            path = entry.partition("\t")[2]
            found[path] = _inside(path, await git.run("cat-file", "blob", f"{base}:{path}"))
    return {path: target for path, target in found.items() if target}


def _targets(links: Mapping[str, str], wanted: Sequence[tuple[str, ...]]) -> set[str]:
    """What links of these names lead to, over further links too."""
    found = {target for link, target in links.items() if _follows(link, wanted)}
    for _ in range(LINKS):
        found |= {target for link, target in links.items() if _below(link, found)}
    return found


def _inside(link: str, target: str) -> str:
    """The path that `link` leads to; empty where that is outside of the tree, or all of it."""
    path = os.path.normpath(PurePosixPath(link).parent / target)
    return "" if path.startswith(("..", "/")) or path == "." else path


def _below(path: str, places: Iterable[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)
