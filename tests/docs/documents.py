"""The documentation's fenced blocks and commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.hosts import CHECKOUT

DOCUMENTS = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the document and line it begins at, its language, and its text."""

    document: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """All blocks of these languages, in all documents."""
    return [block for path in DOCUMENTS for block in _blocks(path) if block.language in languages]


def _blocks(path: Path) -> Iterator[Block]:
    text = path.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        yield Block(path, text.count("\n", 0, match.start()) + 1, match[1], match[2])


def commands(block: Block) -> list[str]:
    """The commands of a shell block, without their comments."""
    lines = (line.split("#", 1)[0].strip() for line in block.text.splitlines())
    return [line for line in lines if line]


def shape(line: str) -> str:
    """A line of output without what differs from run to run: numbers, ids, times and paths."""
    plain = re.sub(r"(?:(?<=\s)|^)(?:~|/)?[\w.~-]*(?:/[\w.~-]+)+", "PATH", line)
    counted = re.sub(r"\b(?=\w*\d)[0-9A-Za-z]{8,}\b|[\d.]+", "N", plain)
    return counted.replace("N min N s", "N s").strip()


def shown_output() -> list[str]:
    """The lines of the demo's output that the README shows."""
    (block,) = [block for block in blocks("text") if block.text.startswith("$ make demo\n")]
    return [line for line in block.text.splitlines()[1:] if line.strip(".")]
