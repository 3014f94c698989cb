"""What a run's standard output says of its result: final message, session, cost and tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kitty_run.agents.model import ModelUsage
from kitty_run.agents.results.collected import COUNTED, MESSAGE_LIMIT, Collected, model_name, number, whole
from kitty_run.profile.output import Output, Tokens
from kitty_run.text import logs, patterns
from kitty_run.text.characters import plain

DOCUMENT_LIMIT = 32 * 1024 * 1024
"""Bytes at the end of an output that are read as one JSON document."""

ATTEMPTS = 2000
"""Places at which a JSON document is looked for in output that is not one as a whole."""

MULTIPLES = {"k": 1e3, "M": 1e6}
"""What may follow a number in an output that is text."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What was found; None is unknown, never zero."""

    message: str | None = None
    session: str | None = None
    cost_usd: float | None = None
    models: tuple[ModelUsage, ...] = ()
    unread: str = ""
    """Why something was not looked for; empty where all was."""


def extract(output: Tokens, path: Path) -> Extract:
    """Read the standard output in `path` as `output` describes it; blocks, in bounded memory.

    `text`: the message is the whole output, without terminal escapes; cost and tokens are what the groups of
    `usage` hold where it matches last. `json`: the whole output is a
    document, or the last document in it (CLIs print warnings before it). `jsonl`: each value is in the
    last line that has it; lines that are not JSON are passed over.
    """
    if output.format == "text":
        return _text(output.usage, path) if isinstance(output, Output) else Extract()
    collected = Collected(output)
    try:
        for document in _documents(output, path):
            collected.take(document)
    except patterns.Late as late:
        return Extract(unread=f"`output.lines` {late}: nothing is known of its result")
    return Extract(collected.message, collected.session, collected.cost(), collected.usage())


def _text(usage: str | None, path: Path) -> Extract:
    text, unread = plain(logs.tail(path, 4 * MESSAGE_LIMIT)).strip(), ""
    groups: patterns.Groups | None = None
    try:
        groups = patterns.last_in_message(usage, path, 4 * MESSAGE_LIMIT) if usage else None
    except patterns.Late as late:
        unread = f"`output.usage` {late}: cost and tokens are unknown"
    numbers = {name: _written_number(value) for name, value in (groups or {}).items()}
    counts = (whole(numbers.get(name)) for name in COUNTED)
    used = ModelUsage(model_name((groups or {}).get("model")), *counts)
    return Extract(
        message=text[-MESSAGE_LIMIT:] or None,
        cost_usd=numbers.get("cost_usd"),
        models=() if used == ModelUsage() else (used,),
        unread=unread,
    )


def _written_number(value: str | None) -> float | None:
    """The number in `1,234`, `1.5k` or `2M`; None where it is none."""
    digits = (value or "").replace(",", "").strip()
    try:
        found = float(digits.rstrip("kM"))
    except ValueError:
        return None
    return number(found * MULTIPLES.get(digits[-1:], 1.0))


def _documents(output: Tokens, path: Path) -> Iterator[object]:
    if output.format == "json":
        document = _last_document(plain(logs.tail(path, DOCUMENT_LIMIT)))
        return iter(()) if document is None else iter((document,))
    return _json_lines(output, path)


def _json_lines(output: Tokens, path: Path) -> Iterator[object]:
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


def _pointers(output: Tokens) -> list[str]:
    texts = [getattr(output, name, None) for name in ("message", "session", "model")]
    return [one for one in texts if one] + [one for _, pointers in output.numbers() for one in pointers]


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
