"""Texts that go to the host: one line, cleaned, without the characters that 1.0 hosts write unescaped.

spec-kitty 1.0 writes actors, notes and review references as they are into YAML and Markdown: a quote in an
actor makes a work package's dependencies vanish, a line break in a note forges a log entry.
"""

from __future__ import annotations

import unicodedata

from kitty_run.text.clean import clean

NOTE_LENGTH = 500
NAME_LENGTH = 100
REFERENCE_LENGTH = 200
CLEANED = 20_000
"""Characters of a text that are looked at: what a line keeps of them is far less."""

_REPLACED = str.maketrans({'"': "'", "\\": "/", "–": "-", "—": "-"})


def one_line(text: str, length: int) -> str:
    """`text` as one line of at most `length` characters that looks like no option; "none" if it is empty."""
    plain = "".join(" " if _breaks(character) else character for character in clean(text[:CLEANED]))
    line = " ".join(plain.translate(_REPLACED).split()).lstrip("- ")
    return (line if len(line) <= length else line[: length - 1].rstrip() + "…") or "none"


def _breaks(character: str) -> bool:
    """Control, format and surrogate characters, and the separators of lines and paragraphs."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
