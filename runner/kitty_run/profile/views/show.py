"""Problems for people (with the source line and a caret), for programs, and for code review pages."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal, TextIO

from kitty_run.profile.validation.problems import Problem

Format = Literal["text", "json", "github"]
_WIDTH = 120
_BOLD, _RED, _END = "\x1b[1m", "\x1b[31m", "\x1b[0m"


def show(problems: Sequence[Problem], form: Format) -> None:
    """Write `problems` in the form wanted: text to standard error, the others to standard output."""
    if form == "json":
        sys.stdout.write(as_json(problems))
    elif form == "github":
        sys.stdout.write("".join(map(annotation, problems)))
    else:
        colour = wants_colour(sys.stderr)
        sys.stderr.write("".join(with_caret(problem, colour=colour) for problem in problems))


def as_json(problems: Sequence[Problem]) -> str:
    """A JSON object with the list `problems`, ending in a newline; warnings and notes leave it `valid`."""
    records = [asdict(problem) for problem in problems]
    valid = all(problem.severity != "error" for problem in problems)
    return json.dumps({"valid": valid, "problems": records}, indent=2, ensure_ascii=False) + "\n"


def annotation(problem: Problem) -> str:
    """A workflow command of GitHub Actions that shows `problem` at its line."""
    hint = f" ({problem.hint})" if problem.hint else ""
    message = f"{problem.pointer or '/'}: {problem.message}{hint}"
    position = f"file={_escape_property(problem.file)},line={problem.line},col={problem.column}"
    start = {"note": "::notice"}.get(problem.severity, f"::{problem.severity}")
    return f"{start} {position}::{_escape(message)}\n"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def with_caret(problem: Problem, *, colour: bool = False) -> str:
    """`problem` on a line, and below it the source line with a caret."""
    text = str(problem)
    if colour:
        place = f"{problem.file}:{problem.line}:{problem.column}:"
        text = f"{_BOLD}{place}{_END}{text.removeprefix(place)}"
    if not problem.excerpt.strip():
        return f"{text}\n"
    excerpt, column = _window(problem.excerpt, problem.column - 1)
    padding = "".join("\t" if character == "\t" else " " for character in excerpt[:column])
    caret = f"{_RED}^{_END}" if colour else "^"
    return f"{text}\n    {excerpt}\n    {padding}{caret}\n"


def wants_colour(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that shows colours, and nobody said no."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a long `line` around `column`, and where in it the column is."""
    if len(line) <= _WIDTH:
        return line, column
    start = max(0, column - _WIDTH // 2)
    return line[start : start + _WIDTH], column - start
