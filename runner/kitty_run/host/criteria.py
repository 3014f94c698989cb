"""A mission's acceptance criteria, read from the file that the host keeps them in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SIZE_LIMIT = 4 * 1024 * 1024
"""Bytes; a file beyond that holds no criteria."""


_NAME = re.compile(r"\w[\w.-]{0,99}")
"""An id that may stand in a prompt and on a command line; a criterion with another one is left to people."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What the mission must come to before its host accepts it.

    `open`: nobody has settled it. `personal`: only a person's own look is proof of it.
    """

    id: str
    text: str
    open: bool
    personal: bool = False


@dataclass(frozen=True, slots=True)
class CriteriaFile:
    """Where criteria are kept, and the names of their parts (data of the dialect, see its schema)."""

    file: str
    key: str
    id: str
    text: str
    result: str
    open: str
    proof: str
    personal: tuple[str, ...]
    by_hand: str

    def read(self, path: Path) -> tuple[Criterion, ...]:
        """The criteria in `path`; none where it has none or can't be read: the host itself says more then."""
        try:
            if path.stat().st_size > SIZE_LIMIT:
                return ()
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return ()
        entries = document.get(self.key) if isinstance(document, Mapping) else None
        return tuple(self._found(entries)) if isinstance(entries, list) else ()

    def _found(self, entries: Sequence[object]) -> Iterator[Criterion]:
        for entry in entries:
            name = entry.get(self.id) if isinstance(entry, Mapping) else None
            if not isinstance(entry, Mapping) or not isinstance(name, str) or not _NAME.fullmatch(name):
                continue
            text, proof = entry.get(self.text), entry.get(self.proof)
            yield Criterion(
                name, str(text or name), entry.get(self.result) == self.open, personal=proof in self.personal
            )
