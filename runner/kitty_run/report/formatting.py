"""How figures, times, paths and long texts are written, the same everywhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from kitty_run.profile.durations import duration

__all__ = ["command_line", "count", "duration", "indented", "money", "one_line", "shown", "some", "tokens"]

LONGEST = 100_000
"""Characters of a text that are looked at for one line of it."""

_PLACEHOLDER = re.compile(r"<[\w -]+>")


def one_line(text: str, room: int = 160) -> str:
    """`text` as one line of at most `room` characters, with `…` where something was left out."""
    line = " ".join(text[:LONGEST].split())
    return line if len(line) <= room else line[: room - 1].rstrip() + "…"


def clock(moment: datetime) -> str:
    """A moment as the clock here shows it, `2030-01-01 15:04:31`."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def money(cost_usd: float | None, source: str | None = None) -> str:
    """`0.42 USD`, or `unknown`: a cost that is not known is not zero. One computed by prices is marked."""
    if cost_usd is None:
        return "unknown"
    return f"{cost_usd:.2f} USD{' by prices' if source == 'prices' else ''}"


def tokens(number: int, unknown: int) -> str:
    """`1200 tokens`, or `at least` so many where `unknown` attempts did not report all of theirs."""
    if not unknown:
        return f"{number} tokens"
    return f"at least {number} tokens" if number else "tokens unknown"


def count(number: int, noun: str) -> str:
    """`1 attempt`, `3 attempts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def shown(path: Path, base: Path | None = None) -> str:
    """`path` as a person types it from `base` (default: where the command was started)."""
    at = base or Path.cwd()
    return str(path.relative_to(at)) if path.is_relative_to(at) else str(path)


def some(items: object, most: int = 5) -> str:
    """The first few of a list, and how many more there are."""
    found = [str(item) for item in items] if isinstance(items, list | tuple) else [str(items)]
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + rest


def indented(text: str, by: int) -> str:
    """`text` with all lines but the first indented, so that it is in a column."""
    return ("\n" + " " * by).join(text.splitlines())


def command_line(argv: Sequence[str]) -> str:
    """`argv` as a shell would take it; placeholders in angle brackets stay as they are."""
    return " ".join(item if _PLACEHOLDER.fullmatch(item) else shlex.quote(item) for item in argv)


def trusted(degrees: Mapping[str, str]) -> str:
    """Degrees of trust by axis in a few words: one word where all are alike."""
    if len(set(degrees.values())) == 1:
        return next(iter(degrees.values()))
    return ", ".join(f"{axis} {degree}" for axis, degree in degrees.items())
