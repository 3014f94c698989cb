"""Commands that people can paste, as messages show them."""

from __future__ import annotations

import shlex
from pathlib import Path


def git_at(directory: Path) -> str:
    """The beginning of a git command in `directory`: what follows is git's own subcommand."""
    return f"git -C {shlex.quote(str(directory))}"
