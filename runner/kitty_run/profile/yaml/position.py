"""Where a value was written: the text it came from, its line and its column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True, eq=False)
class Source:
    """One text that a profile is made of; `name` is how messages call it.

    `path` is None for texts that are in no file (`--set`). `shipped` marks files that come with the
    program: problems are shown at the user's own lines where there is a choice.
    """

    name: str
    text: str
    path: Path | None = None
    shipped: bool = False

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The text's lines without their ends, counted as YAML counts them."""
        return tuple(self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))

    def line(self, number: int) -> str:
        """Line `number` (from 1), empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


@dataclass(frozen=True, slots=True)
class Place:
    """A character in a source; lines and columns count from 1."""

    source: Source
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}"


def display(path: Path) -> str:
    """`path` as a message shows it: relative to the current directory where that is shorter."""
    absolute = path.absolute()
    try:
        relative = str(absolute.relative_to(Path.cwd()))
    except (ValueError, FileNotFoundError):
        return str(path)
    return min(relative, str(path), key=len)
