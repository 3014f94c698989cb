"""One event in words, as views show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import singledispatch

from kitty_run.engine.state.events import Event


class Tone(StrEnum):
    """What a sentence is to its reader; terminals show it as a colour."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    ASKS = "asks"


@dataclass(frozen=True, slots=True)
class Sentence:
    """An event in words; `reason` may be long or have several lines, `file` contains all of it.

    `detail`: shown only with `--verbose`.
    """

    text: str
    tone: Tone = Tone.PLAIN
    reason: str = ""
    file: str = ""
    detail: bool = False


@singledispatch
def words(_: Event) -> Sentence | None:
    """An event in words; None for what only the runner needs. The end of a run has its own summary."""
    return None
