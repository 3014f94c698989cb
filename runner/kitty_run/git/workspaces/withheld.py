"""Files of a reviewer's checkout that its agent would follow: as they were before the work package.

An agent reads instructions, settings and programs for itself in the workspace that it works in. What the
commits under review change of them is to be judged, not to be followed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from kitty_run.git.command import Git
from kitty_run.git.layout import admin_dir
from kitty_run.git.workspaces import trees

LINKS = 5
"""How many links that lead to links are followed."""
LONG_AGO = 1_000_000_000
_RECORD = "kitty-run-withheld"


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
