"""The class of failure that a service's own words name: data of `profiles/failures/texts.yaml`."""

from __future__ import annotations

import re
from functools import cache

import yaml

from kitty_run.profile.model import FailureClass
from kitty_run.resources import profiles_dir

PATH = ("failures", "texts.yaml")


def class_of(text: str) -> FailureClass | None:
    """The first class of the table one of whose patterns is found in `text`, or None."""
    return next((failure for failure, pattern in _table() if pattern.search(text)), None)


@cache
def _table() -> tuple[tuple[FailureClass, re.Pattern[str]], ...]:
    rows = yaml.safe_load(profiles_dir().joinpath(*PATH).read_text(encoding="utf-8"))
    return tuple(
        (
            FailureClass(row["class"]),
            re.compile("|".join(f"(?:{each})" for each in row["match"]), re.I | re.M),
        )
        for row in rows
    )
