"""What one `git status` says of a worktree: commit, branch, and every path that is not as committed."""

from __future__ import annotations

from dataclasses import dataclass

from kitty_run.git.command import Git

_FIELDS = {"1": 8, "2": 9, "u": 10, "?": 1, "!": 1}
"""How many fields are before the path, by the kind of entry (`git status --porcelain=v2`)."""
NOT_INSIDE = "--ignore-submodules=dirty"
"""Git would look for changes inside submodules as their own settings say, which an agent can have written."""
_HEAD, _BRANCH = "# branch.oid ", "# branch.head "
_NO_BRANCH = "(detached)"
UNBORN = "(initial)"
"""What git names in the place of HEAD's commit where its branch has none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A path with uncommitted changes. One with a slash at its end is a git repository of its own."""

    path: str
    conflicting: bool
    untracked: bool = False
    staged: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """A worktree's status; `head` may be `UNBORN`, `branch` None:
    detached."""

    head: str
    branch: str | None
    entries: tuple[Entry, ...]

    @property
    def dirty(self) -> tuple[str, ...]:
        """Paths with uncommitted changes, untracked files that are not ignored included."""
        return tuple(entry.path for entry in self.entries)

    @property
    def conflicting(self) -> tuple[str, ...]:
        """Paths whose merge conflicts are not resolved."""
        return tuple(entry.path for entry in self.entries if entry.conflicting)

    @property
    def repositories(self) -> tuple[str, ...]:
        """Untracked git repositories inside the worktree, each with a slash at its end."""
        return tuple(path for path in self.dirty if path.endswith("/"))

    def below(self, directory: str) -> bool:
        """Whether anything at or below `directory` is not as committed."""
        return any(path.rstrip("/") == directory or path.startswith(f"{directory}/") for path in self.dirty)


async def status(git: Git, *options: str) -> Status:
    """The status of the worktree of `git`; nothing in it changes, its index neither."""
    shown = ("--porcelain=v2", "-z", "--branch", "--no-ahead-behind", "--untracked-files=all", "--no-renames")
    items = await git.paths("status", *shown, NOT_INSIDE, *options)
    facts = [item for item in items if item.startswith("# ")]
    head = next(item.removeprefix(_HEAD) for item in facts if item.startswith(_HEAD))
    branch = next(item.removeprefix(_BRANCH) for item in facts if item.startswith(_BRANCH))
    entries = tuple(_entry(item) for item in items if not item.startswith("# "))
    return Status(head, None if branch == _NO_BRANCH else branch, entries)


def _entry(item: str) -> Entry:
    kind = item[0]
    staged = kind == "u" or (kind in "12" and item[2] != ".")
    return Entry(item.split(" ", _FIELDS[kind])[-1], kind == "u", untracked=kind in "?!", staged=staged)
