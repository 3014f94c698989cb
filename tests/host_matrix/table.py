"""The matrix as a table of `docs/hosts.md`, written and read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass

START = "<!-- Seen by `make check-hosts`, which writes what is between these marks. -->"
END = "<!-- End of the hosts. -->"
COLUMNS = ("spec-kitty-cli", "contract", "dialect", "doctor", "mission")
ACCEPTED, REFUSED, DONE, NOT_STARTED = "accepted", "refused", "done", "not started"


@dataclass(frozen=True, slots=True)
class Row:
    """One host as it was seen. `doctor` and `mission` begin with one of the words above."""

    version: str
    contract: str
    dialect: str
    doctor: str
    mission: str

    def __str__(self) -> str:
        return f"| {' | '.join(one.replace('|', '/') for one in astuple(self))} |"


def written(page: str, rows: Iterable[Row]) -> str:
    """`page` with `rows` as its table; ValueError where a mark is missing."""
    head, found, rest = page.partition(START)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise ValueError("the marks of the table are missing")
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{' --- |' * len(COLUMNS)}", *map(str, rows)]
    return "\n".join([f"{head}{START}", "", *lines, "", f"{END}{tail}"])


def read(page: str) -> tuple[Row, ...]:
    """The rows of the table in `page`."""
    _, _, rest = page.partition(START)
    lines = [line for line in rest.partition(END)[0].splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"\|", line)[1:-1]] for line in lines[2:]]
    return tuple(Row(*row) for row in cells)
