"""The note for the next attempt: how the one before failed, and what is in the workspace."""

from __future__ import annotations

from pathlib import Path

from kitty_run.engine.lifecycle.attempts.recovery import AttemptFailure
from kitty_run.engine.state.events import AttemptStarted
from kitty_run.git.protocols import Left
from kitty_run.profile.model import RoleName

MOST = 20
"""Files and commits that are named; of more, only how many there are."""


def note(  # noqa: PLR0913, PLR0917 - what the note says
    role: RoleName, number: int, agent: str, failed: AttemptFailure, log: Path, left: Left | None = None
) -> str:
    """What the next attempt of the role, perhaps another agent's, reads of the one that failed."""
    how = f"ended as `{failed.failure.value}`: {failed.reason}"
    parts = [f"{role.capitalize()} attempt {number} was made by {agent}, and {how}"]
    if left is not None:
        parts.append(_workspace(left))
    parts.append(f"The log of that attempt is {log}; its error output is beside it, in .stderr.log.")
    return "\n\n".join(parts)


def interrupted(started: AttemptStarted) -> str:
    """The note about an implementing attempt that was cut off, from its start."""
    return (
        f"Implement attempt {started.attempt} was made by {started.agent}, and the runner stopped "
        "before it looked at the work. Its work is in this workspace, committed or not: "
        "`git log` and `git status` show it.\n\n"
        f"The log of that attempt is {started.log}."
    )


def _workspace(left: Left) -> str:
    did = f"It changed {_some(left.changed)}." if left.changed else "It changed no file."
    holds = []
    if left.commits:
        holds.append("Commits of this work package so far, the newest first:\n" + _listed(left.commits))
    if left.uncommitted:
        holds.append(f"Not committed: {_some(left.uncommitted)}.")
    if not holds:
        holds.append("The workspace is as the work package found it.")
    return "\n\n".join([did, *holds])


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def _listed(lines: tuple[str, ...]) -> str:
    more = [f"- and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return "\n".join([*(f"- {line}" for line in lines[:MOST]), *more])
