"""Repositories inside a worktree: git looks into those that the index names, as their own settings say."""

from __future__ import annotations

from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.git.command import Git, printable
from kitty_run.git.guard.governed import LARGEST, read_one
from kitty_run.git.guard.harmless import PLAIN, entries
from kitty_run.git.layout import common_dir, git_dir


async def refuse_armed(git: Git) -> None:
    """Raise `WorkspaceError` where a repository inside the worktree has settings that git might run."""
    for path in await recorded_links(git):
        if keys := await _armed(git.cwd / path):
            raise WorkspaceError(
                f"{git.cwd}: {printable(path)} is a git repository of its own, whose settings name what git "
                f"is to run ({printable(', '.join(keys[:3]))}). Nothing was run there; look at it, remove "
                "its .git, then run again"
            )


async def recorded_links(git: Git) -> tuple[str, ...]:
    """The paths that the index records as links to commits of other repositories."""
    listed = await git.paths("ls-files", "--stage", "-z")
    return tuple(line.partition("\t")[2] for line in listed if line.startswith("160000 "))


async def _armed(inner: Path) -> tuple[str, ...]:
    """Keys of the repository's configuration that are none of those that git itself writes."""
    if not (inner / ".git").exists():
        return ()
    try:
        own = git_dir(inner)
        folders = {own, common_dir(own)}
    except WorkspaceError as error:
        return (str(error),)
    found: list[str] = []
    for file in (folder / name for folder in folders for name in ("config", "config.worktree")):
        kept = read_one(file)
        if kept is None:
            continue
        said = None if kept.link or len(kept.data) > LARGEST else await entries(kept.data)
        if said is None:
            return (f"{file} can't be read",)
        found += [key for key, _ in said if not PLAIN.fullmatch(key)]
    return tuple(found)
