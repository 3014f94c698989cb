"""Git as the simulated host runs it: short commands, one after the other, in a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path


class GitFailed(Exception):
    """A git command ended with another exit status than 0; the text is git's own."""


def git(at: Path, *args: str) -> str:
    """Standard output of `git ARGS` in the directory `at`, stripped; raises `GitFailed`."""
    done = subprocess.run(
        ("git", *args), cwd=at, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise GitFailed("\n".join(text for text in (done.stdout.strip(), done.stderr.strip()) if text))
    return done.stdout.strip()


def succeeds(at: Path, *args: str) -> bool:
    """Whether `git ARGS` ends with exit status 0."""
    try:
        git(at, *args)
    except GitFailed:
        return False
    return True


def has_branch(at: Path, name: str) -> bool:
    """Whether there is a local branch `name`."""
    return succeeds(at, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}")


def current_branch(at: Path) -> str:
    """The branch that is checked out; "HEAD" where none is."""
    return git(at, "rev-parse", "--abbrev-ref", "HEAD")


def changed_files(at: Path, *, untracked: bool = True) -> list[str]:
    """The paths with uncommitted changes."""
    changed = git(at, "diff", "--name-only", "HEAD").splitlines()
    if untracked:
        changed += git(at, "ls-files", "--others", "--exclude-standard").splitlines()
    return changed
