"""What of the branch that a mission is merged into stops it: the host protects it, or its remote is ahead.

Pure.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path

from kitty_run.git.readiness.behind import Behind
from kitty_run.host.demands.git_demands import Protection
from kitty_run.text.commands import git_at


def protected(rules: Protection, branches: Collection[str], target: str) -> str | None:
    """Why the host makes no commit on `target`; `branches` are those that it protects. None: it does."""
    if target not in branches:
        return None
    return (
        f"the host keeps this mission's status on {target}, which it protects: it would refuse every step. "
        f"Plan the mission on another branch; or let the host commit there: set {rules.setting} in "
        f"{rules.file} and commit that, or start with `{rules.variable}=1 kitty-run …`"
    )


def lagging(found: Behind, root: Path, checked_out: str | None) -> str:
    """What is said of a target that lacks commits of its remote, with the command that brings them."""
    many = "commits" if found.commits is None else f"{found.commits} commit{'s' if found.commits > 1 else ''}"
    names = f"{shlex.quote(found.remote)} {shlex.quote(found.branch)}"
    bring = f"pull --no-rebase {names}"
    if checked_out != found.branch:
        bring = f"fetch {names}:{shlex.quote(found.branch)}"
    return (
        f"the branch {found.branch}, which the mission is merged into, is behind its remote {found.remote} "
        f"by {many}: `{git_at(root)} {bring}`"
    )
