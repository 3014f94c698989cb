"""Where a line of a scalar's value is in the file: block scalars start below their key."""

from __future__ import annotations

import re

from kitty_run.profile.yaml.position import Place
from kitty_run.profile.yaml.tree import ScalarNode


def line_in(node: ScalarNode, line: int, word: str = "") -> Place:
    """The place of `word` (or of the text's start) in line `line`, from 1, of the value of `node`."""
    first = node.place.line
    if node.style == "|":
        return _in_line(node, first + line, word, 0)
    if node.style == ">":
        return _search(node, word)
    if line == 1:
        return _in_line(node, first, word, node.place.column - 1)
    return _search(node, word)


def _in_line(node: ScalarNode, number: int, word: str, start: int) -> Place:
    text = node.place.source.line(number)
    found = _word(word).search(text, start) if word else None
    column = found.start() if found else max(start, len(text) - len(text.lstrip()))
    return Place(node.place.source, number, column + 1)


def _search(node: ScalarNode, word: str) -> Place:
    """The first line from the scalar's start on that holds `word`; the start where none does."""
    lines = node.place.source.lines
    for number in range(node.place.line, min(len(lines), node.place.line + node.raw.count("\n") + 200) + 1):
        start = node.place.column - 1 if number == node.place.line else 0
        if word and _word(word).search(lines[number - 1], start):
            return _in_line(node, number, word, start)
    return node.place


def _word(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
