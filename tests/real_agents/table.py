"""The table that `make check-agents` prints: a line for each thing that was looked at, and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

VERDICTS = {True: "ok", False: "WRONG", None: "-"}
WIDTH = 150


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what was looked at, and what was seen; `good` None: it can't be looked at here."""

    family: str
    what: str
    good: bool | None
    seen: str

    def __str__(self) -> str:
        seen = " ".join(self.seen.split())
        line = f"{self.family:10} {self.what:26} {VERDICTS[self.good]:6} {seen}".rstrip()
        return line if self.good is False else line[:WIDTH]


def summary(rows: Sequence[Row]) -> str:
    """The last line: how many things are as the presets say, and which families are not."""
    counts = {verdict: sum(row.good is verdict for row in rows) for verdict in VERDICTS}
    text = f"{counts[True]} ok, {counts[False]} WRONG, {counts[None]} not looked at"
    wrong = dict.fromkeys(row.family for row in rows if row.good is False)
    return f"{text}: wrong in {', '.join(wrong)}" if wrong else text
