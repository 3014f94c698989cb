"""A reviewer's verdict: from its file or its final message, and only if it is beyond doubt.

Nothing here turns a doubt into an approval: what is malformed or contradicts itself is no verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_run.agents.model import Finding, Verdict
from kitty_run.resources import schema_path

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

SIZE_LIMIT = 1024 * 1024
"""Bytes; a verdict beyond that is not one."""

REMARKS = frozenset({"minor", "note", "info", "nit", "suggestion"})
"""Severities that an approval may carry; any other, also one that nobody here knows, contradicts it."""

EXAMPLE = "One or two sentences: what the decision rests on."
"""The summary of the example in the reviewer's prompt, which an agent may print before it says anything."""

_FENCED = re.compile(
    r"^[ ]{0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+-]*)[^\n`]*\n(?P<body>.*?)"
    r"(?:^[ ]{0,3}(?P<end>(?P=fence))[`~]*[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """There is no verdict; `reason` says what was found instead, for people and for the next try."""

    reason: str


def read(verdict_file: Path | None, message: str | None) -> Verdict | NoVerdict:
    """The verdict in `verdict_file` if that exists, else in the last fenced JSON block of `message`.

    A file that exists but holds no valid verdict is no verdict, whatever the message says: it may have been
    half written. The path must be fresh for each attempt, so that no older file is found there. Blocks
    (reads a small file).
    """
    if verdict_file is not None and verdict_file.exists():
        return _from_file(verdict_file)
    if not message or not message.strip():
        return NoVerdict("there is no verdict file, and the final message is empty or unknown")
    blocks = [block for block in _FENCED.finditer(message) if _is_json(block)]
    if not blocks:
        return NoVerdict("there is no verdict file, and no fenced JSON block in the final message")
    if blocks[-1]["end"] is None:
        return NoVerdict("the last fenced JSON block of the final message is not closed: it may be cut off")
    return parse(blocks[-1]["body"], "the last fenced JSON block of the final message")


def parse(text: str, where: str) -> Verdict | NoVerdict:
    """The verdict that `text` is; `where` names the text in the reason."""
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return NoVerdict(f"{where} is not valid JSON: {error}")
    wrong = next(_validator().iter_errors(document), None)
    if wrong is not None:
        return NoVerdict(
            f"{where} does not fit the verdict's schema: {wrong.json_path}: {wrong.message[:300]}"
        )
    if document["summary"] == EXAMPLE:
        return NoVerdict(f"{where} is the example of the prompt, not a verdict")
    return _consistent(_verdict(document), where)


def _is_json(block: re.Match[str]) -> bool:
    language = block["language"].lower()
    return language in {"json", "jsonc"} or (not language and block["body"].lstrip().startswith("{"))


def _from_file(path: Path) -> Verdict | NoVerdict:
    try:
        if not path.is_file() or path.is_symlink():
            return NoVerdict("the verdict file is not a regular file")
        if path.stat().st_size > SIZE_LIMIT:
            return NoVerdict(f"the verdict file is larger than {SIZE_LIMIT} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return NoVerdict(f"the verdict file cannot be read: {error}")
    fenced = _FENCED.fullmatch(text.strip())
    return parse(fenced["body"] if fenced and fenced["end"] else text, "the verdict file")


def _consistent(verdict: Verdict, where: str) -> Verdict | NoVerdict:
    weighty = [item for item in verdict.findings if item.severity and item.severity.lower() not in REMARKS]
    if verdict.verdict == "approved" and weighty:
        severity, message = weighty[0].severity, weighty[0].message[:200]
        return NoVerdict(f"{where} approves and has a finding of severity {severity}: {message}")
    return verdict


def _verdict(document: Mapping[str, Any]) -> Verdict:
    findings = tuple(_finding(item) for item in document.get("findings", ()))
    return Verdict(document["verdict"], _plain(document["summary"]), findings)


def _finding(item: str | Mapping[str, Any]) -> Finding:
    if isinstance(item, str):
        return Finding(_plain(item))
    file = item.get("file")
    place = None if file is None else _plain(file)
    return Finding(_plain(item["message"]), place, item.get("line"), item.get("severity"))


def _plain(text: str) -> str:
    """Without the half characters that JSON can spell (`"\\ud800"`) and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8").strip()


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only reviews need it

    return Draft202012Validator(json.loads(schema_path("verdict").read_text(encoding="utf-8")))


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; one that says a thing twice could be read as either."""
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("a key stands in it twice")
    return dict(pairs)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")
