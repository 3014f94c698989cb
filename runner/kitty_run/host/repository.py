"""Where the repository is, and which missions are in it."""

from __future__ import annotations

import asyncio
import os
from difflib import get_close_matches
from pathlib import Path

from kitty_run.errors import UsageError
from kitty_run.git.layout import checked_out
from kitty_run.host.transport.environment import LEADING_ASTRAY

_GIT = ("git", "rev-parse", "--path-format=absolute", "--git-common-dir")


async def main_checkout(directory: Path) -> Path:
    """The root of the main checkout of the repository that `directory` lies in, linked worktrees included.

    Raises `UsageError` where there is none: no git, no repository, or a bare one.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *_GIT,
            cwd=directory,
            env={name: value for name, value in os.environ.items() if name not in LEADING_ASTRAY},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except NotADirectoryError as error:
        raise UsageError(f"{directory} is not a directory") from error
    except FileNotFoundError as error:
        missing = "git is not installed" if directory.is_dir() else f"{directory} does not exist"
        raise UsageError(missing) from error
    output, words = await process.communicate()
    if process.returncode != 0:
        raise UsageError(f"{directory} is not in a git repository: {words.decode(errors='replace').strip()}")
    common = output.decode(errors="surrogateescape").rstrip("\n")
    if Path(common).name != ".git":  # with one, `core.bare` is a mistake or an agent's doing: named later
        raise UsageError(f"{common} is a repository without a checkout; name one with --repo")
    return Path(common).parent.resolve()


def missions(repo: Path) -> tuple[str, ...]:
    """The missions that have a directory below `kitty-specs/`, sorted."""
    directory = repo / "kitty-specs"
    if not directory.is_dir():
        return ()
    return tuple(sorted(path.name for path in directory.iterdir() if path.is_dir()))


def unknown_mission(repo: Path, mission: str) -> UsageError:
    """The message for whoever named a mission that the host does not know."""
    known, on = missions(repo), _on_branch(repo)
    if mission in known:
        return UsageError(
            f"the host does not find the mission {mission!r}, although {repo / 'kitty-specs' / mission} "
            "exists: is the repository set up for spec-kitty (a directory .kittify at its root)?"
        )
    if not known:
        return UsageError(f"there is no mission {mission!r}: {repo} has no missions (no kitty-specs/*/){on}")
    close = get_close_matches(mission, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return UsageError(f"there is no mission {mission!r} in {repo}; there are: {', '.join(known)}{hint}{on}")


def _on_branch(repo: Path) -> str:
    """Where was looked: a mission may be on another branch than the one that is checked out."""
    branch = checked_out(repo)
    return "" if branch is None else f"; the branch that is checked out there is {branch}"
