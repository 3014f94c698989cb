"""The diff that a reviewer is shown: nothing in the reviewed tree decides what of it can be seen.

Attributes (`-diff`, a driver) are without effect; generated files, binary ones, and of too many changes the
largest are told by name and size, so that no lock file hides the change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kitty_run.git.command import Git, printable
from kitty_run.git.protocols import Diff
from kitty_run.git.workspaces import trees

PLAIN = ("diff", "--no-ext-diff", "--no-textconv", "--find-renames")
MOST_READ = 32 * 1024 * 1024
"""Bytes of diff that are looked at; files beyond are named in the summary only."""
MOST_LINES = 200
"""Lines of the summary that are shown."""
GENERATED = (
    *("*.lock", "*-lock.json", "*-lock.yaml", "npm-shrinkwrap.json", "go.sum", "gradle.lockfile"),
    *("*.min.js", "*.min.css", "*.map"),
)
"""Names of files that tools write; whoever reads the workspace finds them there."""

_MORE = "(more files are changed than are named here)\n"
_CUT = "(the diff of this file is cut off here)\n"
_PATCH = re.compile(rb"^(?=diff --git )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Patch:
    """One file's part of a diff."""

    text: str
    kind: str

    @property
    def size(self) -> int:
        return len(self.text.encode("utf-8", "replace"))

    @property
    def told(self) -> str:
        """Its name and size, in the place of its content."""
        head = self.text.split("\n@@", 1)[0].splitlines()
        kept = [line for line in head if not line.startswith(("--- ", "+++ ", "index "))]
        return "\n".join([*kept[:6], f"({self.kind}: {self.size} bytes of diff, not shown)"]) + "\n"


async def review_diff(git: Git, base: str, limit: int) -> Diff:
    """What `base..HEAD` changes, in about `limit` bytes; `truncated` where something is told by name only."""
    files = tuple(printable(path) for path in await trees.changed(git, base, "HEAD"))
    stat = (await git.line(*PLAIN, "--text", "--stat=100", "--summary", base, "HEAD")).splitlines()
    away = [f":(top,exclude,glob)**/{name}" for name in GENERATED]
    raw, cut = await git.beginning(MOST_READ, *PLAIN, "--text", base, "HEAD", "--", ":(top)", *away)
    only = [f":(top,glob)**/{name}" for name in GENERATED]
    made, more = await git.beginning(MOST_READ, *PLAIN, "--text", base, "HEAD", "--", *only)
    patches = [*_patches(raw, ""), *_patches(made, "generated")]
    text, short = _fitted(patches, limit)
    lines = stat if len(stat) <= MOST_LINES else [*stat[:MOST_LINES], f" and more: {stat[-1].strip()}"]
    return Diff(text, cut or more or short, files, printable("\n".join(lines)))


def _patches(raw: bytes, kind: str) -> list[_Patch]:
    parts = [part for part in _PATCH.split(raw) if part]
    return [
        _Patch(part.decode(errors="replace"), "binary" if b"\0" in part else kind or "large")
        for part in parts
    ]


def _fitted(patches: list[_Patch], limit: int) -> tuple[str, bool]:
    """The patches that fit, small ones first chosen, in git's order; then the others by name and size."""
    free, chosen = limit, set[int]()
    for at in sorted(range(len(patches)), key=lambda at: patches[at].size):
        patch = patches[at]
        if patch.kind == "large" and patch.size <= free:
            chosen.add(at)
            free -= patch.size
    shown = "".join(patches[at].text for at in sorted(chosen))
    others = [patch for at, patch in enumerate(patches) if at not in chosen]
    told = ""
    for patch in others:
        if _bytes(told + patch.told + _MORE) > free:
            told += _MORE if _bytes(told + _MORE) <= free else ""
            break
        told += patch.told
    return shown + told + _beginning(others, free - _bytes(told)), bool(others)


def _beginning(others: list[_Patch], room: int) -> str:
    """As many whole lines of the smallest large patch as there is room for."""
    large = sorted((patch for patch in others if patch.kind == "large"), key=lambda patch: patch.size)
    if not large or room <= _bytes(_CUT):
        return ""
    text = large[0].text.encode("utf-8", "replace")[: room - _bytes(_CUT)].decode(errors="ignore")
    return text[: text.rfind("\n") + 1] + _CUT


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
