"""Problems for people (with the source line and a caret), for programs, and for code review pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from kitty_run.profile.problems import Problem

Format = Literal["text", "json", "github"]
_WIDTH = 120


def show(problems: Sequence[Problem], form: Format) -> None:
    """Write `problems` in the form wanted: text to standard error, the others to standard output."""
    if form == "json":
        sys.stdout.write(as_json(problems))
    elif form == "github":
        sys.stdout.write("".join(map(annotation, problems)))
    else:
        sys.stderr.write("".join(map(with_caret, problems)))


def as_json(problems: Sequence[Problem]) -> str:
    """A JSON object with the list `problems`, ending in a newline."""
    records = [asdict(problem) for problem in problems]
    return json.dumps({"valid": not problems, "problems": records}, indent=2, ensure_ascii=False) + "\n"


def annotation(problem: Problem) -> str:
    """A workflow command of GitHub Actions that shows `problem` at its line."""
    hint = f" ({problem.hint})" if problem.hint else ""
    message = f"{problem.pointer or '/'}: {problem.message}{hint}"
    position = f"file={_escape_property(problem.file)},line={problem.line},col={problem.column}"
    return f"::error {position}::{_escape(message)}\n"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def with_caret(problem: Problem) -> str:
    """`problem` on a line, and below it the source line with a caret."""
    if not problem.excerpt.strip():
        return f"{problem}\n"
    text, column = _window(problem.excerpt, problem.column - 1)
    padding = "".join("\t" if character == "\t" else " " for character in text[:column])
    return f"{problem}\n    {text}\n    {padding}^\n"


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a long `line` around `column`, and where in it the column is."""
    if len(line) <= _WIDTH:
        return line, column
    start = max(0, column - _WIDTH // 2)
    return line[start : start + _WIDTH], column - start
