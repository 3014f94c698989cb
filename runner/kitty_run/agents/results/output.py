"""What a run's standard output says of its result: final message, session, cost and tokens."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kitty_run.profile.model import Output
from kitty_run.text import logs, patterns
from kitty_run.text.characters import plain

MESSAGE_LIMIT = 256 * 1024
"""Characters of the final message that are kept: its end, where a verdict is."""

DOCUMENT_LIMIT = 32 * 1024 * 1024
"""Bytes at the end of an output that are read as one JSON document."""

ATTEMPTS = 2000
"""Places at which a JSON document is looked for in output that is not one as a whole."""

MULTIPLES = {"k": 1e3, "M": 1e6}
"""What may follow a number in an output that is text."""

SESSION = re.compile(r"[A-Za-z0-9][\w.:@/+=-]{0,255}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Extract:
    """What was found; None is unknown, never zero."""

    message: str | None = None
    session: str | None = None
    cost_usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    unread: str = ""
    """Why something was not looked for; empty where all was."""


def extract(output: Output, path: Path) -> Extract:
    """Read the standard output in `path` as `output` describes it; blocks, in bounded memory.

    `text`: the message is the whole output, without terminal escapes; cost and tokens are what the groups of
    `usage` hold where it matches last. `json`: the whole output is a
    document, or the last document in it (CLIs print warnings before it). `jsonl`: each value is in the
    last line that has it; lines that are not JSON are passed over.
    """
    if output.format == "text":
        return _text(output, path)
    collected = _Collected(output)
    try:
        for document in _documents(output, path):
            collected.take(document)
    except patterns.Late as late:
        return Extract(unread=f"`output.lines` {late}: nothing is known of its result")
    return collected.extract()


def resolve(document: object, pointer: str) -> object:
    """The value at the JSON pointer (RFC 6901) in `document`; None where there is none.

    `-` is an array's last element: agents end a list of thoughts with what they say. `*` matches
    every member, such as each model that was used: numbers there are added up, and nothing else counts.
    """
    head, star, rest = pointer.partition("/*")
    if star and (not rest or rest.startswith("/")):
        return _added(resolve(document, head), rest)
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and document and name == "-":
            document = document[-1]
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def _added(members: object, pointer: str) -> float | None:
    """The sum of the numbers at `pointer` in all `members`; None where there is none."""
    of_them = members.values() if isinstance(members, dict) else members if isinstance(members, list) else ()
    numbers = [number for member in of_them if (number := _number(resolve(member, pointer))) is not None]
    return sum(numbers) if numbers else None


def _text(output: Output, path: Path) -> Extract:
    text, unread = plain(logs.tail(path, 4 * MESSAGE_LIMIT)).strip(), ""
    groups: patterns.Groups | None = None
    try:
        groups = patterns.last_in_message(output.usage, path, 4 * MESSAGE_LIMIT) if output.usage else None
    except patterns.Late as late:
        unread = f"`output.usage` {late}: cost and tokens are unknown"
    numbers = {name: _written_number(value) for name, value in (groups or {}).items()}
    return Extract(
        unread=unread,
        message=text[-MESSAGE_LIMIT:] or None,
        cost_usd=numbers.get("cost_usd"),
        input_tokens=_whole(numbers.get("input_tokens")),
        output_tokens=_whole(numbers.get("output_tokens")),
    )


def _written_number(value: str | None) -> float | None:
    """The number in `1,234`, `1.5k` or `2M`; None where it is none."""
    digits = (value or "").replace(",", "").strip()
    try:
        number = float(digits.rstrip("kM"))
    except ValueError:
        return None
    return _number(number * MULTIPLES.get(digits[-1:], 1.0))


class _Collected:
    """The latest value, or the sum, of each thing looked for."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._message: str | None = None
        self._session: str | None = None
        self._numbers: dict[str, float] = {}

    def take(self, document: object) -> None:
        """Take what one document has."""
        self._message = _find(document, self._output.message, _message) or self._message
        self._session = _find(document, self._output.session, _name) or self._session
        for name in ("cost_usd", "input_tokens", "output_tokens"):
            number = _find(document, getattr(self._output, name), _number)
            if number is not None:
                before = self._numbers.get(name, 0.0) if self._output.sum else 0.0
                self._numbers[name] = before + number

    def extract(self) -> Extract:
        """All that was found."""
        numbers = self._numbers
        return Extract(
            message=self._message,
            session=self._session,
            cost_usd=numbers.get("cost_usd"),
            input_tokens=_whole(numbers.get("input_tokens")),
            output_tokens=_whole(numbers.get("output_tokens")),
        )


def _documents(output: Output, path: Path) -> Iterator[object]:
    if output.format == "json":
        document = _last_document(plain(logs.tail(path, DOCUMENT_LIMIT)))
        return iter(()) if document is None else iter((document,))
    return _json_lines(output, path)


def _json_lines(output: Output, path: Path) -> Iterator[object]:
    """The JSON lines that may hold a value: those in which a pointer's last name is."""
    keys = tuple(_key(pointer) for pointer in _pointers(output))
    if output.lines:
        lines = logs.spans(path, patterns.lines_with(output.lines, path, map(bytes.decode, keys)))
    else:
        lines = (line for _, line in logs.lines(path))
    for line in lines:
        if any(key in line for key in keys):
            document = _loads(line)
            if document is not None:
                yield document


def _pointers(output: Output) -> list[str]:
    all_of_them = (output.message, output.session, output.cost_usd, output.input_tokens, output.output_tokens)
    return [pointer for pointer in all_of_them if pointer]


def _key(pointer: str) -> bytes:
    """What a line must contain to have a value at `pointer`; an array's index leaves no trace."""
    names = [
        name
        for name in pointer.split("/")[1:]
        if name not in {"-", "*"} and not name.isdecimal() and "~" not in name
    ]
    return json.dumps(names[-1], ensure_ascii=False).encode() if names else b""


def _loads(text: str | bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _last_document(text: str) -> object:
    """The last JSON object or array that begins a line of `text`."""
    whole = _loads(text)
    if whole is not None:
        return whole
    decoder = json.JSONDecoder()
    found: object = None
    position = 0
    for _ in range(ATTEMPTS):
        position = _next_start(text, position)
        if position < 0:
            break
        try:
            found, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            position += 1
    return found


def _next_start(text: str, position: int) -> int:
    """The next place at or after `position` where a line begins with `{` or `[`; -1 where none does."""
    while 0 <= position < len(text):
        if text[position] in "{[" and (position == 0 or text[position - 1] == "\n"):
            return position
        newline = text.find("\n", position)
        position = newline + 1 if newline >= 0 else -1
    return -1


def _find(document: object, pointer: str | None, convert: Callable[[object], T | None]) -> T | None:
    return None if pointer is None else convert(resolve(document, pointer))


def _message(value: object) -> str | None:
    return value[-MESSAGE_LIMIT:] if isinstance(value, str) and value.strip() else None


def _name(value: object) -> str | None:
    """A session's id; what could be read as an option where it is passed on is none."""
    return value if isinstance(value, str) and SESSION.fullmatch(value) else None


def _number(value: object) -> float | None:
    """A count or an amount; what is negative or not finite is not believed."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
