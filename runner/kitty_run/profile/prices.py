"""What models cost: shipped prices (`profiles/prices/models.yaml`), and those of a profile in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from kitty_run.resources import profiles_dir

MILLION = 1_000_000
_RELEASE = re.compile(r"[-@](?:20\d{2}-?\d{2}-?\d{2}|latest)$")
"""The end of a model's name that says which release of it is meant: releases of a model cost the same."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens; `cached_input` for those that were read from a cache."""

    input: float
    output: float
    cached_input: float | None = None
    """None: as much as `input`."""

    def of(self, input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
        """What tokens cost in US dollars; `cached_tokens` are some of `input_tokens`."""
        cached = min(cached_tokens, input_tokens)
        reduced = self.input if self.cached_input is None else self.cached_input
        whole = (input_tokens - cached) * self.input + cached * reduced + output_tokens * self.output
        return whole / MILLION


def price_of(model: str, own: Mapping[str, Price]) -> Price | None:
    """The price of `model` among `own`, else among the shipped ones; None where neither names it.

    A provider before the name (`openai/`) and a release after it (`-2026-10-01`) don't matter, unless the
    table names them.
    """
    for prices in ({name.lower(): price for name, price in own.items()}, shipped()):
        for name in _names(model):
            if name in prices:
                return prices[name]
    return None


def _names(model: str) -> Iterator[str]:
    """What a model may be called in a table, the whole name first."""
    whole = model.lower()
    last = whole.rpartition("/")[2]
    for name in (whole, last):
        yield name
        yield _RELEASE.sub("", name)


@cache
def shipped() -> Mapping[str, Price]:
    """The shipped prices by model."""
    import yaml

    rows = yaml.safe_load((profiles_dir() / "prices" / "models.yaml").read_text(encoding="utf-8"))
    keys = ("input", "output", "cached_input")
    return {
        name: Price(**{key: float(row[key]) for key in keys if key in row})
        for group in rows
        for name, row in group["models"].items()
    }
