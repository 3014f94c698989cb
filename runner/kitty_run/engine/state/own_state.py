"""Taking the runner's directory into use: nothing in it may be the repository's or somebody else's."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from kitty_run.engine.state.private_files import ForeignState, make_private
from kitty_run.engine.state.run_directory import HOME
from kitty_run.git.command import Git
from kitty_run.text.commands import command, git_at

SHOWN = 3
"""Tracked files that a refusal names."""


async def claim(repo: Path) -> tuple[str, ...]:
    """Make `.kitty-run` of `repo` private where it is there; what people should know of it.

    Raises `ForeignState` where git tracks a part of it, where it is a link, or another user's.
    """
    if tracked := await Git(repo).paths("ls-files", "-z", "--", f":(icase){HOME}"):
        named = ", ".join(tracked[:SHOWN]) + (" and more" if len(tracked) > SHOWN else "")
        git = git_at(repo)
        raise ForeignState(
            f"git tracks {named} in {repo}. {HOME} is the runner's own: what a commit brings there is not "
            "believed. Nothing was started; take it out of git, look at what it holds, then run again:\n"
            f"  {git} rm -r -q --cached {HOME} && {git} commit -m 'Take {HOME} out of git'\n"
            f"  {command('mv', repo / HOME, repo / f'{HOME}.found')}"
        )
    if not os.path.lexists(repo / HOME):
        return ()
    opened = await asyncio.to_thread(make_private, repo / HOME)
    if not opened:
        return ()
    return (f"others could read or write {len(opened)} of the runner's files ({opened[0]}): made private",)
