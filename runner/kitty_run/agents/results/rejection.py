"""A rejection however it is dressed: what a reviewer wants changed must reach the one who changes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from kitty_run.agents.model import Finding, Verdict
from kitty_run.agents.results.json_objects import objects

EXAMPLE = "One or two sentences: what the decision rests on."
"""The summary of the example in the reviewer's prompt, which an agent may print before it says anything."""

LONGEST = 20_000
MOST = 500
WORDS = frozenset({"changes_requested", "request_changes", "changes_required", "rejected", "reject"})
_MESSAGES = ("message", "description", "text", "comment", "title")
_PLACED = ("file", "line", "severity")


def signed(text: str, code: str) -> list[Mapping[str, object]]:
    """The objects in `text` that give a verdict and repeat `code`, but for the prompt's own example."""
    return [
        found
        for found in objects(text)
        if "verdict" in found and found.get("code") == code and found.get("summary") != EXAMPLE
    ]


def rejection(document: Mapping[str, object]) -> Verdict | None:
    """The rejection that `document` is; None where its word is another."""
    word = document.get("verdict")
    if not isinstance(word, str) or re.sub(r"[\s-]+", "_", word.strip().lower()) not in WORDS:
        return None
    findings = tuple(_findings(document.get("findings")))[:MOST]
    summary = document.get("summary")
    text = plain(summary) if isinstance(summary, str) else _spelled(summary)
    return Verdict("changes_requested", text or "Changes are requested; no summary was given.", findings)


def plain(text: str) -> str:
    """Without the half characters that JSON can spell (`"\\ud800"`) and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8").strip()


def _findings(given: object) -> Iterator[Finding]:
    items = given if isinstance(given, list) else [given]
    for item in items:
        found = _finding(item) if isinstance(item, Mapping) else Finding(_spelled(item))
        if found.message:
            yield found


def _finding(item: Mapping[str, object]) -> Finding:
    """One finding; what fits no field of it is appended to its message, so that none of it is lost."""
    name = next((name for name in _MESSAGES if isinstance(item.get(name), str)), None)
    file, line, severity = (item.get(name) for name in _PLACED)
    number = line if isinstance(line, int) and not isinstance(line, bool) and line > 0 else None
    known = {
        name,
        *(["file"] if isinstance(file, str) else []),
        *(["line"] if number else []),
        *(["severity"] if isinstance(severity, str) else []),
    }
    rest = [f"{key}: {_spelled(value)}" for key, value in item.items() if key not in known and value]
    message = _spelled(item.get(name)) if name else ""
    text = " ".join(filter(None, [message, f"({'; '.join(rest)})" if rest else ""]))
    place = plain(file)[:4096] if isinstance(file, str) else None
    weight = plain(severity)[:40] if isinstance(severity, str) else None
    return Finding(text[:LONGEST], place or None, number, weight or None)


def _spelled(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return plain(text)[:LONGEST]
