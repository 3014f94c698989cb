"""What one attempt may do to its workspace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkspaceLimits:
    """What one attempt may change: megabytes of a file and of all changed files, and how many percent of
    all files it may delete (of more than ten)."""

    file_mb: int = 100
    change_mb: int = 500
    deleted_percent: int = 50
