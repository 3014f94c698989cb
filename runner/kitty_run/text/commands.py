"""Commands that people can paste, as messages show them."""

from __future__ import annotations

import shlex
from pathlib import Path


def command(*words: str | Path) -> str:
    """A command line whose `words` reach the program as they are, whatever a shell would read in them."""
    return shlex.join(map(str, words))


def git_at(directory: Path) -> str:
    """The beginning of a git command in `directory`: what follows is git's own subcommand."""
    return command("git", "-C", directory)
