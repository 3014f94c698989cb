"""A reviewer's verdict: from its file or its final message, and only if it is beyond doubt.

Nothing here turns a doubt into an approval: what is malformed, contradicts itself, or does not repeat the
code word of the attempt's own prompt is none. A rejection may be dressed in any way (`rejection`).
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_run.agents.model import CriterionResult, Finding, Verdict
from kitty_run.agents.results.rejection import EXAMPLE, plain, rejection, signed
from kitty_run.machine import fault_of
from kitty_run.resources import schema_path

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

SIZE_LIMIT = 1024 * 1024
"""Bytes; a verdict beyond that is not one."""

REMARKS = frozenset({"minor", "note", "info", "nit", "suggestion"})
"""Severities that an approval may carry; any other, also one that nobody here knows, contradicts it."""

FILE, MESSAGE = "the verdict file", "the last fenced JSON block of the final message"
CODE = "expected the code word that this review's prompt names"

_FENCED = re.compile(
    r"^[ ]{0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+-]*)[^\n`]*\n(?P<body>.*?)"
    r"(?:^[ ]{0,3}(?P<end>(?P=fence))[`~]*[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """There is no verdict; `reason` says what was found instead, for people and for the next try."""

    reason: str


def content(file: Path) -> str | NoVerdict | None:
    """What a reviewer left in its verdict file, None: it left none. Blocks (reads a small file)."""
    if not os.path.lexists(file):
        return None
    try:
        return _content(file)
    except (OSError, UnicodeDecodeError) as error:
        if fault := fault_of(error, file):
            raise fault from error
        return NoVerdict(f"{FILE} cannot be read: {error}")


def judge(file: str | NoVerdict | None, code: str, message: str | None) -> Verdict | NoVerdict:
    """The verdict that the verdict file's `content` is if there is one, else the last fenced JSON block of
    `message`.

    Only what repeats the code word `code` counts. An approval must fit its schema; a file that holds none
    is none, whatever the message says: it may have been half written.
    """
    message = (message or "").replace("\r\n", "\n")[-SIZE_LIMIT:]
    said = _last_rejection(message, code)
    if file is None:
        return said or _from_message(message, code)
    found = file if isinstance(file, NoVerdict) else _from_file(file, code)
    if said is None or (isinstance(found, Verdict) and found.verdict == "changes_requested"):
        return found
    if isinstance(found, NoVerdict):
        return said
    return NoVerdict("the verdict file approves, but the final message requests changes")


def parse(text: str, where: str, code: str) -> Verdict | NoVerdict:
    """The verdict that `text` is, by the letter; `where` names the text in the reason."""
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return NoVerdict(f"{where} is not valid JSON: {error}")
    if isinstance(document, dict) and document.get("code") != code:
        found = "another one" if document.get("code") else "none"
        return NoVerdict(f"{where} does not repeat the code word: `code`: {CODE}, found {found}")
    wrong = next(_validator().iter_errors(document), None)
    if wrong is not None:
        return NoVerdict(f"{where} does not fit the verdict's schema: {_described(wrong)}")
    if document["summary"] == EXAMPLE:
        return NoVerdict(f"{where} is the example of the prompt, not a verdict")
    return _consistent(_verdict(document), where)


def _last_rejection(text: str, code: str) -> Verdict | None:
    """The rejection that is the last signed verdict in `text`, in whatever form; else None."""
    found = signed(text, code) if code in text else []
    return rejection(found[-1]) if found else None


def _from_message(message: str, code: str) -> Verdict | NoVerdict:
    if not message.strip():
        return NoVerdict("there is no verdict file, and the final message is empty or unknown")
    blocks = [block for block in _FENCED.finditer(message) if _is_json(block)]
    if not blocks:
        return NoVerdict("there is no verdict file, and no fenced JSON block in the final message")
    if blocks[-1]["end"] is None:
        return NoVerdict(f"{MESSAGE} is not closed: it may be cut off")
    return parse(blocks[-1]["body"], MESSAGE, code)


def _is_json(block: re.Match[str]) -> bool:
    language = block["language"].lower()
    return language in {"json", "jsonc"} or (not language and block["body"].lstrip().startswith("{"))


def _from_file(text: str, code: str) -> Verdict | NoVerdict:
    if (rejected := _last_rejection(text, code)) is not None:
        return rejected
    fenced = _FENCED.fullmatch(text.strip())
    return parse(fenced["body"] if fenced and fenced["end"] else text, FILE, code)


def _content(path: Path) -> str | NoVerdict:
    """What the file holds; a link in its place, to it, or in the place of its directory is not followed."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        plainly = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path.name, plainly, dir_fd=folder)
    finally:
        os.close(folder)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            return NoVerdict(f"{FILE} is not a regular file of its own")
        content = file.read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        return NoVerdict(f"{FILE} is larger than {SIZE_LIMIT} bytes")
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def _described(error: ValidationError) -> str:
    """The field and what was expected of it: of alternatives, what is wrong with the one meant."""
    while error.context:
        error = max(error.context, key=lambda one: (len(one.absolute_path), one.validator != "type"))
    return f"`{error.json_path.removeprefix('$.')}`: {error.message[:300]}"


def _consistent(verdict: Verdict, where: str) -> Verdict | NoVerdict:
    weighty = [item for item in verdict.findings if item.severity and item.severity.lower() not in REMARKS]
    if verdict.verdict == "approved" and weighty:
        severity, message = weighty[0].severity, weighty[0].message[:200]
        return NoVerdict(
            f"{where} approves and has a finding of severity {severity}: {message}; "
            f"`severity`: expected one of {', '.join(sorted(REMARKS))} beside an approval"
        )
    failed = [one.id for one in verdict.criteria if one.result == "fail"]
    if verdict.verdict == "approved" and failed:
        return NoVerdict(
            f"{where} approves and says that a criterion is not met: {failed[0][:200]}; `criteria`: expected "
            "no result but pass beside an approval"
        )
    return verdict


def _verdict(document: Mapping[str, Any]) -> Verdict:
    findings = tuple(_finding(item) for item in document.get("findings", ()))
    criteria = tuple(_criterion(item) for item in document.get("criteria", ()))
    return Verdict(document["verdict"], plain(document["summary"]), findings, criteria)


def _criterion(item: Mapping[str, Any]) -> CriterionResult:
    return CriterionResult(item["id"], item["result"], plain(item["evidence"]))


def _finding(item: str | Mapping[str, Any]) -> Finding:
    if isinstance(item, str):
        return Finding(plain(item))
    file = item.get("file")
    place = None if file is None else plain(file)
    return Finding(plain(item["message"]), place, item.get("line"), item.get("severity"))


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema_path("verdict").read_text(encoding="utf-8")))


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; one that says a thing twice could be read as either."""
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("a key is in it twice")
    return dict(pairs)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")
