"""The table of events in `docs/journal.md`, made from the journal's schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kitty_run.resources import schema_path

START = "<!-- Generated from schemas/event.schema.json; refresh it with `pytest --snapshot-update`. -->"
END = "<!-- End of the events. -->"
HEAD = ("v", "seq", "at", "up", "type", "wp")


def refreshed(page: str) -> str:
    """`page` with the text between the marks written anew; ValueError where a mark is missing."""
    head, found, rest = page.partition(START)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise ValueError("the marks of the generated part are missing")
    return f"{head}{START}\n\n{''.join(_sections())}{END}{tail}"


def _sections() -> Iterator[str]:
    schema: dict[str, Any] = json.loads(schema_path("event").read_text(encoding="utf-8"))
    shared = schema["$defs"]
    for entry in schema["oneOf"]:
        name = entry["$ref"].removeprefix("#/$defs/")
        yield _section(name, shared[name], shared)


def _section(name: str, event: Mapping[str, Any], shared: Mapping[str, Any]) -> str:
    where = "" if "wp" in event["properties"] else " For the whole run."
    where = where or ("" if "wp" in event["required"] else " For one work package, or for the whole run.")
    text = f"### `{name}`\n\n{event['description']}{where}\n\n"
    rows = [
        f"| `{key}` | {_facts(value, shared)} |{'' if key in event['required'] else ' (may be missing)'}"
        for key, value in event["properties"].items()
        if key not in HEAD
    ]
    table = "\n".join(["| key | what it is |", "| --- | --- |", *map(_closed, rows)])
    return f"{text}{table}\n\n" if rows else text


def _closed(row: str) -> str:
    """A remark behind the row's end moved into its last cell."""
    cells, _, remark = row.rpartition("|")
    return f"{cells.rstrip()}{remark} |" if remark else row


def _facts(value: Mapping[str, Any], shared: Mapping[str, Any]) -> str:
    known = shared.get(str(value.get("$ref", "")).removeprefix("#/$defs/"), {})
    choices = value.get("enum") or known.get("enum") or []
    listed = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
    return f"{value['description']}{listed}"
