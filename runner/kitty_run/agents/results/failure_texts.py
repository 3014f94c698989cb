"""The class of failure that a service's own words name: data of `profiles/failures/texts.yaml`."""

from __future__ import annotations

import re
from functools import cache

from kitty_run.profile.model import FailureClass
from kitty_run.resources import profiles_dir, read_yaml

PATH = ("failures", "texts.yaml")


def class_of(text: str) -> FailureClass | None:
    """The first class of the table one of whose patterns is found in `text`, or None."""
    return next((failure for failure, pattern in _table() if pattern.search(text)), None)


@cache
def _table() -> tuple[tuple[FailureClass, re.Pattern[str]], ...]:
    rows = read_yaml(profiles_dir().joinpath(*PATH))
    return tuple(
        (
            FailureClass(row["class"]),
            re.compile("|".join(f"(?:{each})" for each in row["match"]), re.I | re.M),
        )
        for row in rows
    )
