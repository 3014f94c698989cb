"""The diff that a reviewer is shown: nothing in the reviewed tree decides what of it can be seen.

Attributes (`-diff`, a driver) are without effect; generated files, binary ones, and of too many changes the
largest are shown by name and size, so that no lock file hides the change. The diff is read as it comes, no
more of it is kept than may be shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kitty_run.git.command import Git, printable
from kitty_run.git.protocols import Diff
from kitty_run.git.workspaces import trees

PLAIN = ("diff", "--no-ext-diff", "--no-textconv", "--find-renames")
MOST_READ = 512 * 1024 * 1024
"""Bytes of diff that are looked at; files beyond are named in the summary only."""
MOST_LINES = 200
"""Lines of the summary that are shown."""
HEAD = 4096
"""Bytes that are kept of a patch which is shown by name and size."""
SPARE = 4
"""How many times as much as may be shown is kept, so that the small patches of a large diff are there."""
MOST_PATCHES = 20_000
LONG_LINE = 64 * 1024
"""Bytes of a line that are waited for before it is taken in pieces."""

_MORE = "(more files are changed than are named here)\n"
_CUT = "(the diff of this file is cut off here)\n"
_MARK = b"diff --git "
_PATCH = re.compile(rb"^(?=diff --git )", re.MULTILINE)


@dataclass(slots=True)
class _Patch:
    """One file's part of a diff; of a long one `kept` is the beginning."""

    kind: str
    kept: bytearray = field(default_factory=bytearray)
    size: int = 0

    def take(self, part: bytes, most: int) -> None:
        self.size += len(part)
        self.kept += part[: max(most - len(self.kept), 0)]
        if b"\0" in part:
            self.kind = "binary"

    @property
    def text(self) -> str:
        return self.kept.decode(errors="replace")

    def fits(self, room: int) -> bool:
        """Whether all of it may be shown, and is there."""
        return self.kind == "large" and self.size == len(self.kept) and _bytes(self.text) <= room

    @property
    def heading(self) -> str:
        """Its name and size, in the place of its content."""
        head = self.kept[:HEAD].decode(errors="replace").split("\n@@", 1)[0].splitlines()
        kept = [line for line in head if not line.startswith(("--- ", "+++ ", "index "))]
        return "\n".join([*kept[:6], f"({self.kind}: {self.size} bytes of diff, not shown)"]) + "\n"


async def review_diff(git: Git, base: str, limit: int, generated: Sequence[str]) -> Diff:
    """What `base..HEAD` changes, in about `limit` bytes; `truncated` where something is shown by name only.

    `generated` are patterns of file names that are always shown so.
    """
    files = tuple(printable(path) for path in await trees.changed(git, base, "HEAD"))
    stat = (await git.line(*PLAIN, "--text", "--stat=100", "--summary", base, "HEAD")).splitlines()
    away = [f":(top,exclude,glob)**/{name}" for name in generated]
    patches, cut = await _patches(git, limit, "large", base, [":(top)", *away])
    made: list[_Patch] = []
    more = False
    if only := [f":(top,glob)**/{name}" for name in generated]:
        made, more = await _patches(git, 0, "generated", base, only)
    text, short = _fitted([*patches, *made], limit)
    lines = stat if len(stat) <= MOST_LINES else [*stat[:MOST_LINES], f" and more: {stat[-1].strip()}"]
    return Diff(text, cut or more or short, files, printable("\n".join(lines)))


async def _patches(
    git: Git, limit: int, kind: str, base: str, paths: Sequence[str]
) -> tuple[list[_Patch], bool]:
    """The patches of `paths`, and whether there were more than are looked at."""
    reader, read = Reader(kind, max(limit, HEAD)), 0
    async with git.blocks(*PLAIN, "--text", base, "HEAD", "--", *paths) as blocks:
        async for block in blocks:
            reader.take(block)
            read += len(block)
            if read > MOST_READ or len(reader.found) > MOST_PATCHES:
                return reader.found, True
    reader.end()
    return reader.found, False


class Reader:
    """Takes a diff in blocks of any size apart into patches; of each at most `most` bytes are kept."""

    def __init__(self, kind: str, most: int) -> None:
        self.found: list[_Patch] = []
        self._kind = kind
        self._most = most
        self._rest = b""
        """A line whose end has not come yet."""
        self._inside = False
        """Whether what comes next continues a line of which the beginning is taken already."""

    def take(self, block: bytes) -> None:
        """Take the next block."""
        data, self._rest = self._rest + block, b""
        if self._inside:
            line, end, data = data.partition(b"\n")
            self._add(line + end)
            self._inside = not end
        at = data.rfind(b"\n") + 1
        for part in _PATCH.split(data[:at]):
            self._begin(part)
        self._rest = data[at:]
        if len(self._rest) > LONG_LINE:
            self.end()
            self._rest, self._inside = b"", True
        _forget(self.found, SPARE * self._most)

    def end(self) -> None:
        """There is no more of the line."""
        self._begin(self._rest)

    def _begin(self, part: bytes) -> None:
        if part.startswith(_MARK):
            self.found.append(_Patch(self._kind))
        self._add(part)

    def _add(self, part: bytes) -> None:
        if self.found:
            self.found[-1].take(part, self._most)


def _forget(found: Sequence[_Patch], most: int) -> None:
    """Keep the small patches, in `most` bytes, and of the others their heads; the last one still grows."""
    if sum(len(patch.kept) for patch in found) <= 2 * most:
        return
    total = 0
    for patch in sorted(found[:-1], key=lambda patch: patch.size):
        total += len(patch.kept)
        if total > most and len(patch.kept) > HEAD:
            del patch.kept[HEAD:]


def _fitted(patches: list[_Patch], limit: int) -> tuple[str, bool]:
    """The patches that fit, small ones first chosen, in git's order; then the others by name and size."""
    free, chosen = limit, set[int]()
    for at in sorted(range(len(patches)), key=lambda at: patches[at].size):
        if patches[at].fits(free):
            chosen.add(at)
            free -= _bytes(patches[at].text)
    shown = "".join(patches[at].text for at in sorted(chosen))
    others = [patch for at, patch in enumerate(patches) if at not in chosen]
    headings, used = [], 0
    for patch in others:
        line = patch.heading
        if used + _bytes(line + _MORE) > free:
            headings += [_MORE] if used + _bytes(_MORE) <= free else []
            break
        headings.append(line)
        used += _bytes(line)
    names = "".join(headings)
    return shown + names + _beginning(others, free - _bytes(names)), bool(others)


def _beginning(others: list[_Patch], room: int) -> str:
    """As many whole lines of the smallest large patch as there is room for."""
    large = sorted((patch for patch in others if patch.kind == "large"), key=lambda patch: patch.size)
    if not large or room <= _bytes(_CUT):
        return ""
    text = large[0].text.encode("utf-8", "replace")[: room - _bytes(_CUT)].decode(errors="ignore")
    return text[: text.rfind("\n") + 1] + _CUT


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
