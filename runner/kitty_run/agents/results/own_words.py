"""The words in which an agent's CLI said why it failed: short enough to be shown beside the class. Pure."""

from __future__ import annotations

import json
import re

LONGEST = 200
"""Characters that are shown."""

_MESSAGE = re.compile(
    r"\"(?:error_?message|finalError|message|result|detail|error)\"\s*:\s*(\"(?:[^\"\\]|\\.){1,4000}\")", re.I
)
_KIND = re.compile(r"\"subtype\"\s*:\s*(\"error\w*\")")
"""What an event says instead of a message."""
_ERROR_EVENT = re.compile(
    r"\"(?:is_)?error\"\s*:(?!\s*(?:false|null))|\"type\"\s*:\s*\"\w*[._]?error\"|\"subtype\"\s*:\s*\"error",
    re.I,
)
_SAYS_WHY = re.compile(
    r"error|fail|fatal|denied|refused|not found|no such|missing|invalid|unknown|cannot|can't|unable|required",
    re.I,
)
_NO_REASON = re.compile(
    r"\s*(?:warn|info|debug|at\s+\S+.*\(|File \"|Traceback|\^+$|node:|[{}\[\]\"].*)", re.I
)
"""Lines that are warnings, traces or JSON."""


def own_words(text: str, *, _depth: int = 2) -> str:
    """What `text`, the part of an output that a rule found, says to people: at most two lines of it.

    In JSON the message of the error; where that is JSON again, its message.
    """
    if found := _MESSAGE.search(text) or _KIND.search(text):
        try:
            said = str(json.loads(found[1], strict=False))
        except ValueError:
            said = found[1]
        return own_words(said, _depth=_depth - 1) if _depth and _MESSAGE.search(said) else _short(said)
    return _short(text)


def has_message(text: str) -> bool:
    """Whether `text` has the message of an error as JSON."""
    return _MESSAGE.search(text) is not None or _KIND.search(text) is not None


def reason_in(stderr: str, stdout: str) -> str:
    """Why a CLI failed, from the ends of its logs: the first line that reads like a reason, else the last."""
    for log in (stderr, stdout):
        lines = [line for line in log.splitlines() if line.strip() and not _NO_REASON.match(line)]
        line = next((line for line in lines if _SAYS_WHY.search(line)), "")
        if line and not line.endswith("{"):
            return _short(line)
        if log is stderr and has_message(log):
            return own_words(log)
        if lines:
            return _short(lines[-1])
    events = [line for line in stdout.splitlines() if _ERROR_EVENT.search(line)]
    return own_words(events[-1]) if events and has_message(events[-1]) else ""


def _short(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    words = " ".join(lines[:2])
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 3].rstrip()}..."
