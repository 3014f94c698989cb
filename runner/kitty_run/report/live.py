"""The live view: one line per event that a person cares about, as it happens."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TextIO

from kitty_run.engine.state.events import Entry
from kitty_run.report.event_text import sentence
from kitty_run.report.formatting import one_line, shown
from kitty_run.report.sentence import Sentence, Tone
from kitty_run.text.clean import shortened

Level = Literal["quiet", "normal", "verbose"]

PLAIN_WIDTH = 200
"""Characters of a line in a pipe or a file; a terminal's lines are as long as it is wide."""

_MARGIN = 17
"""Characters before the text: time and work package."""

_COLOURS = {Tone.GOOD: "32", Tone.BAD: "31", Tone.ASKS: "33"}


class Live:
    """Writes events to `stream` as lines: `12:04:31  WP01   implement 1: claude starts`.

    On a terminal a line fits its width, and tones are colours; with `NO_COLOR`, in pipes and on dumb
    terminals it is plain text. Paths are shown as seen from `base` (default: the working directory).
    """

    def __init__(
        self,
        stream: TextIO,
        level: Level = "normal",
        *,
        base: Path | None = None,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        self._stream = stream
        self._level = level
        self._base = base
        self._terminal = stream.isatty() and env.get("TERM") != "dumb"
        self._coloured = self._terminal and not env.get("NO_COLOR")
        self._reasons: dict[str | None, str] = {}

    def show(self, entry: Entry) -> None:
        """Write the entry's line, if it has one at this level."""
        if self._level == "quiet":
            return
        line = sentence(entry.event, verbose=self._level == "verbose")
        if line is None:
            return
        at = entry.at.astimezone().strftime("%H:%M:%S")
        text = self._text(line, self._news(entry.wp, line.reason))
        self._stream.write(f"{at}  {entry.wp or '-':<5}  {text}\n")
        self._stream.flush()

    def _news(self, wp: str | None, reason: str) -> str:
        """The reason, unless this work package's line just before gave the same one."""
        known, self._reasons[wp] = self._reasons.get(wp), reason
        return "" if reason == known else reason

    def _text(self, line: Sentence, reason: str) -> str:
        file = f"log {shown(Path(line.file), self._base)}" if line.file else ""
        room = (shutil.get_terminal_size().columns if self._terminal else PLAIN_WIDTH) - _MARGIN
        whole = f"{line.text}: {reason}" if reason else line.text
        words = self._painted(one_line(shortened(whole), max(room, 40)), line.tone)
        if not file:
            return words
        beside = len(one_line(whole, room)) + 2 + len(file) <= room
        if beside or not self._terminal:
            return f"{words}; {file}"
        return f"{words}\n{' ' * _MARGIN}{file}"

    def _painted(self, text: str, tone: Tone) -> str:
        colour = _COLOURS.get(tone) if self._coloured else None
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text
