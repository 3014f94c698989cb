"""The kinds of limits: one field of `Allowance` each, which says how it is counted and how it reads.

A new kind is a field here and its keys in `schemas/profile.schema.json` (a test compares the two). What it
counts must be a member of `Counted`, or mypy rejects what the engine hands over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from kitty_run.profile.durations import duration


class Counted(Protocol):
    """What attempts used, as limits see it."""

    @property
    def known_usd(self) -> float:
        """US dollars of those attempts whose cost is known."""

    @property
    def usd_today(self) -> float:
        """The same, of all runs of the repository, since midnight as the clock here has it."""

    @property
    def tokens(self) -> int:
        """Input and output tokens that were reported."""

    @property
    def seconds(self) -> float:
        """The time that they, or the sessions of the run, took."""

    @property
    def attempts(self) -> int:
        """Attempts that were started."""


@dataclass(frozen=True, slots=True)
class Unit:
    """How an amount is written; `one` and `many` follow the number, and are empty where it has its unit."""

    number: Callable[[float], str]
    one: str = ""
    many: str = ""

    def amount(self, amount: float) -> str:
        """`20.00 USD`, `1 attempt`."""
        return f"{self.number(amount)} {self.one if amount == 1 else self.many}".rstrip()

    def part(self, used: float, allowed: float) -> str:
        """`20.40 of 20.00 USD`."""
        return f"{self.number(used)} of {self.number(allowed)} {self.many}".rstrip()


def _dollars(amount: float) -> str:
    """Cents, and more digits where cents would make it nothing."""
    return f"{amount:.2f}" if amount >= 0.1 or amount == 0 else f"{amount:.4f}"


def _whole(amount: float) -> str:
    return f"{amount:.0f}"


DOLLARS = Unit(_dollars, "USD", "USD")
TOKENS = Unit(_whole, "token", "tokens")
TIME = Unit(duration)
"""Seconds; profiles write them as durations."""
ATTEMPTS = Unit(_whole, "attempt", "attempts")


@dataclass(frozen=True, slots=True)
class Limit:
    """A kind of limit.

    `key` is its name in the profile, below `limits` and `limits.work_package`. `reported` are the keys of an
    agent's `output` without which it does not see what that agent used; empty where the runner counts itself.
    """

    key: str
    unit: Unit
    used: Callable[[Counted], float]
    reported: tuple[str, ...] = ()


def _kind(unit: Unit, used: Callable[[Counted], float], *reported: str) -> Any:
    """A field of `Allowance`: no limit by default. `Any`, as `dataclasses.field` is to a type checker."""
    return field(default=None, metadata={"kind": (unit, used, reported)})


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a run, or one work package of it, may use; None is no limit."""

    cost_usd: float | None = _kind(DOLLARS, lambda usage: usage.known_usd, "cost_usd")
    tokens: int | None = _kind(TOKENS, lambda usage: usage.tokens, "input_tokens", "output_tokens")
    wall_clock: float | None = _kind(TIME, lambda usage: usage.seconds)
    attempts: int | None = _kind(ATTEMPTS, lambda usage: usage.attempts)

    def given(self) -> Iterator[tuple[Limit, float]]:
        """The limits that are set, with what they allow."""
        for limit in LIMITS:
            if (allowed := getattr(self, limit.key, None)) is not None:
                yield limit, allowed


MEGABYTE = 1_000_000
LOG_MB = 64
"""Megabytes of a log that are kept: the schema's default, and a test holds the two together."""


@dataclass(frozen=True, slots=True)
class Limits(Allowance):
    """What a run may use, and in `work_package` what each work package may use by itself.

    `log_mb` stops nothing: of a log that is larger, so many megabytes of its beginning and end are kept.
    """

    work_package: Allowance = Allowance()
    cost_usd_per_day: float | None = _kind(DOLLARS, lambda usage: usage.usd_today, "cost_usd")
    log_mb: int = LOG_MB

    @property
    def log(self) -> int:
        """`log_mb` in bytes."""
        return self.log_mb * MEGABYTE


LIMITS = tuple(Limit(one.name, *one.metadata["kind"]) for one in fields(Limits) if "kind" in one.metadata)
"""All kinds, in the order in which they are shown."""

TIMES = tuple(limit.key for limit in LIMITS if limit.unit is TIME)
"""The keys whose values are durations."""

UNREPORTED = tuple(sorted(limit.key for limit in LIMITS if not limit.reported))
"""The keys of the limits that hold whatever agents report."""


def unit_of(name: str) -> Unit:
    """The unit of the limit `name`, such as `limits.cost_usd`; plain numbers where the name is unknown."""
    key = name.rpartition(".")[2]
    return next((limit.unit for limit in LIMITS if limit.key == key), Unit(_whole))


_BYTES = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_MEMORY = re.compile(r"(\d{1,9})(kB|MB|GB|KiB|MiB|GiB)\Z", re.ASCII)
MEMORY_KEYS = ("memory", "file_size")


@dataclass(frozen=True, slots=True)
class Resources:
    """What one attempt may use, at most; None is no limit.

    `memory` is of each of its processes, and of each of its temporary directories, in bytes; `file_size` of
    a file that it writes. `processes` counts those that run at once, `open_files` those of one process.
    """

    memory: int | None = None
    processes: int | None = None
    open_files: int | None = None
    file_size: int | None = None


def memory_size(text: str) -> int:
    """The bytes in `8GiB` or `500MB`; ValueError where it is no size."""
    match = _MEMORY.match(text)
    if not match:
        raise ValueError(f"{text!r} is no size")
    return int(match[1]) * _BYTES[match[2]]
