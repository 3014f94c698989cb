"""Characters that do something instead of being seen: taken out of every text that somebody else wrote.

Kept are line feed, tab and whatever is visible. Taken out are terminal sequences, control characters (C0
and C1), characters that turn the direction of text, invisible ones, and surrogates, which no file can hold.
"""

from __future__ import annotations

import re

_BREAKS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""What ends a line, besides the line feed."""

_SEQUENCES = re.compile(
    # Bounded, so that a sequence without an end hides nothing of what follows it.
    r"\x1b[\]PX^_][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)|\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]?|\x1b[@-OQ-WYZ\\]"
)
"""Sequences of terminals: titles, clipboards and links (OSC), device controls, colours, movements (CSI), and
those of one more character."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

_SURROGATES = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    """`text` without terminal sequences and carriage returns; all else stays, as JSON needs it."""
    return _SEQUENCES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def visible(text: str) -> str:
    """`text` without characters that drive a terminal, turn text around, or can't be seen."""
    text = _UNSEEN.sub("", _SEQUENCES.sub("", _BREAKS.sub("\n", text)))
    return _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
