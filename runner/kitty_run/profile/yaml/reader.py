"""YAML text to a tree with positions: PyYAML's parser, and a composer that trusts nothing.

Stricter than YAML where YAML is a trap: duplicate keys, tags, aliases that explode or refer to
themselves, several documents, deep nesting and large files are problems, never a crash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.yaml.compose import Composer, TooMuch
from kitty_run.profile.yaml.position import Place, Source, display
from kitty_run.profile.yaml.tree import MapNode, Node, ScalarNode
from kitty_run.resources import profiles_dir

MAX_BYTES = 1024 * 1024

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unreadable(Exception):
    """A file that is no text to parse; carries the problem. `unopened`: the file could not be opened."""

    def __init__(self, problem: Problem, *, unopened: bool = False) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.unopened = unopened


def open_source(path: Path, *, shipped: bool = False, name: str = "") -> Source:
    """The text of `path`; raises `Unreadable`. Reads at most `MAX_BYTES`, whatever the file holds.

    `name` is how messages call it, where that isn't its path.
    """
    name = name or (f"profiles/{path.relative_to(profiles_dir())}" if shipped else display(path))
    empty = Place(Source(name, "", path, shipped))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise Unreadable(Problem.at(empty, "", f"can't be read: {reason}"), unopened=True) from error
    if len(data) > MAX_BYTES:
        raise Unreadable(Problem.at(empty, "", "larger than 1 MiB", "a profile is a short text"))
    return Source(name, _decode(data, empty), path, shipped)


def _decode(data: bytes, empty: Place) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        place = Place(empty.source, line, column)
        problem = Problem.at(place, "", "not UTF-8 text", "save the file with the encoding UTF-8")
        raise Unreadable(problem) from error


def read_value(source: Source) -> tuple[Node | None, list[Problem]]:
    """The one document of `source`, or None, and what is wrong with it as YAML."""
    if found := _FORBIDDEN.search(source.text):
        return None, [_control_character(source, found.start())]
    composer = Composer(source)
    try:
        for event in _events(source.text):
            composer.take(event)
    except TooMuch as error:
        return None, [*composer.problems, error.problem]
    except yaml.MarkedYAMLError as error:
        return None, [*composer.problems, _syntax(source, error)]
    return composer.root, composer.problems


def read_document(source: Source) -> tuple[MapNode | None, list[Problem]]:
    """The mapping that `source` holds at its top, or None, and what is wrong with it as YAML."""
    root, problems = read_value(source)
    if isinstance(root, MapNode) or problems:
        return (root if isinstance(root, MapNode) else None), problems
    if root is None or (isinstance(root, ScalarNode) and root.value is None):
        hint = "a profile starts with `version: 1`"
        return None, [Problem.at(Place(source), "", "the file is empty", hint)]
    kind = "a list" if not isinstance(root, ScalarNode) else "text"
    hint = "a profile is a mapping: `version: 1`, `agents:`, `roles:`, ..."
    return None, [Problem.at(root.place, "", f"{kind} at the top level", hint)]


def _events(text: str) -> Iterator[yaml.Event]:
    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


def _syntax(source: Source, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(source, mark.line + 1, mark.column + 1) if mark else Place(source)
    context = f" {error.context}" if error.context else ""
    hint = ""
    if error.context_mark and mark and error.context_mark.line != mark.line:
        hint = f"it began at line {error.context_mark.line + 1}"
    if source.line(place.line)[: place.column].strip(" ").startswith("\t"):
        hint = "indent with spaces, not with tabs"
    return Problem.at(place, "", f"not YAML{context}: {error.problem}", hint)


def _control_character(source: Source, position: int) -> Problem:
    before = source.text[:position]
    place = Place(source, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)
    return Problem.at(place, "", f"a control character, U+{ord(source.text[position]):04X}")
