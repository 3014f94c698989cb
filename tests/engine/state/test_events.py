"""Events as types: they agree with the schema, lines survive a round trip, and damaged lines are left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kitty_run.engine.state.events import EVENTS, CallEnded, Entry, Event, Notice, RunStarted, Unknown
from kitty_run.engine.state.events.codec import FORMAT, InvalidEvent, from_line, to_line
from kitty_run.engine.state.journal import Journal, read, scan
from kitty_run.resources import schema_path

SCHEMA: dict[str, Any] = json.loads(schema_path("event").read_text(encoding="utf-8"))
TYPES = [entry["$ref"].removeprefix("#/$defs/") for entry in SCHEMA["oneOf"]]
HEAD = {"v", "seq", "at", "up", "type", "wp"}
TIMES = {"until", "resets_at"}
"""Text of the schema that is a time in the types."""


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return {**resolved(SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])}
    return schema


def example(schema: Mapping[str, Any], key: str) -> object:
    """A value that fits `schema`."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], key)
    if "enum" in schema or "const" in schema:
        return schema.get("const") or schema["enum"][0]
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "object":
        inner = {name: example(one, name) for name, one in schema.get("properties", {}).items()}
        extra = schema.get("additionalProperties")
        return {**inner, "WP01": example(extra, "WP01")} if isinstance(extra, dict) else inner
    if kind == "array":
        return [example(schema["items"], key)]
    if kind == "string":
        return "2026-01-02T03:04:05+00:00" if key in TIMES else "x"
    return {"integer": 1, "number": 1.5, "boolean": True}[kind]


def own_keys(name: str) -> dict[str, object]:
    properties = SCHEMA["$defs"][name]["properties"]
    return {key: example(one, key) for key, one in properties.items() if key not in HEAD}


AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def line_of(name: str, wp: str | None, own: Mapping[str, object]) -> dict[str, object]:
    head = {"v": FORMAT, "seq": 7, "at": AT.isoformat(), "type": name}
    return {**head, **({} if wp is None else {"wp": wp}), **own}


def decode(name: str, wp: str | None, own: Mapping[str, object]) -> Event:
    return from_line(line_of(name, wp, own)).event


def test_every_type_of_the_schema_is_a_class_and_no_other() -> None:
    assert set(EVENTS) == set(TYPES), "add a dataclass for the type to engine/state/events/, or remove it"


@pytest.mark.parametrize("name", TYPES)
def test_a_class_has_the_keys_of_its_type_and_needs_the_same(name: str) -> None:
    definition, kind = SCHEMA["$defs"][name], EVENTS[name]
    own = fields(kind)  # type: ignore[arg-type]
    assert {one.name for one in own} - {"wp"} == set(definition["properties"]) - HEAD
    needed = {one.name for one in own if one.default is MISSING and one.default_factory is MISSING}
    assert needed == set(definition["required"]) - (HEAD - {"wp"})
    assert ("wp" in {one.name for one in own}) is ("wp" in definition["properties"])


@pytest.mark.parametrize("name", TYPES)
def test_a_line_is_written_as_it_was_read(name: str) -> None:
    wp = "WP01" if "wp" in SCHEMA["$defs"][name]["properties"] else None
    line = line_of(name, wp, own_keys(name))
    assert to_line(from_line(line), 7) == line


@pytest.mark.parametrize("name", TYPES)
def test_a_missing_key_and_a_wrong_type_are_invalid(name: str) -> None:
    data = own_keys(name)
    for key in set(SCHEMA["$defs"][name]["required"]) - HEAD:
        with pytest.raises(InvalidEvent, match=f"`{key}` is missing"):
            decode(name, "WP01", {one: value for one, value in data.items() if one != key})
    for key in data:
        for wrong in ([[1]], {"a": {"b": [2]}}, float("nan")):
            with pytest.raises(InvalidEvent, match=f"`{key}`"):
                decode(name, "WP01", {**data, key: wrong})
    if "wp" in SCHEMA["$defs"][name]["required"]:
        with pytest.raises(InvalidEvent, match="`wp` is missing"):
            decode(name, None, data)


def test_later_versions_types_and_keys_are_passed_over() -> None:
    assert decode("run.paused", None, {"why": 1}) == Unknown("run.paused", {"why": 1})
    line = line_of("run.paused", "WP01", {"why": 1})
    assert to_line(from_line(line), 7) == line
    assert decode("notice", None, {"text": "x", "colour": "red"}) == Notice("x")


def test_an_event_is_written_by_its_type(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.open()
    journal.write(CallEnded("claim", None, 2, wp="WP01"))
    line = json.loads(journal.path.read_text(encoding="utf-8"))
    assert list(line.items())[4:] == [
        ("type", "call.ended"),
        ("wp", "WP01"),
        ("operation", "claim"),
        ("code", None),
        ("seconds", 2),
    ]
    assert [entry.event for entry in read(journal.path)] == [CallEnded("claim", None, 2, wp="WP01")]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("[1, 2]", "no object"),
        ("hello", "Expecting value"),
        ('{"v": 1, "seq": 2, "at": "2026-01-02T03:04:05+00:00", "type": "notice"}', "`text` is missing"),
        ('{"v": 1, "seq": 2, "at": "2026-01-02T03:04:05+00:00", "type": "notice", "text": 7}', "`text`: 7"),
        ('{"v": 1, "seq": 2, "at": "2026-01-02T03:04:05", "type": "notice", "text": "x"}', "no offset"),
        ('{"v": 1, "seq": 2, "at": "2026-01-02T03:04:05+00:00", "type": ["notice"]}', "is no text"),
        ('{"v": 2, "seq": 2, "at": "2026-01-02T03:04:05+00:00", "type": "notice", "text": "x"}', "`v`"),
        ("[" * 100_000, ""),
    ],
)
def test_a_damaged_line_is_left_out_and_named(tmp_path: Path, line: str, cause: str) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.open()
    journal.write(Notice("before"))
    journal.close()
    with journal.path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    again = Journal(journal.path)
    assert [entry.event for entry in again.open()] == [Notice("before")]
    assert [(damaged.number, cause in damaged.cause) for damaged in again.damaged] == [(2, True)]
    again.write(Notice("after"))
    assert [entry.event for entry in read(journal.path)] == [Notice("before"), Notice("after")]
    assert json.loads(journal.path.read_text(encoding="utf-8").splitlines()[-1])["seq"] == 3
    assert [damaged.number for damaged in scan(journal.path).damaged] == [2]


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), ValueError("closed"), KeyError("x")])
def test_a_view_that_fails_is_named_once_and_dropped(tmp_path: Path, error: Exception) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.open()
    calls, seen = [], []

    def broken(event: Entry) -> None:
        calls.append(event)
        raise error

    journal.show(broken)
    journal.show(seen.append)
    journal.observe(lambda _: None)
    for text in ("one", "two"):
        journal.write(Notice(text))
    texts = [entry.event.text for entry in read(journal.path) if isinstance(entry.event, Notice)]
    assert [texts[0], texts[2]] == ["one", "two"]
    assert type(error).__name__ in texts[1]
    assert len(texts) == len(seen) == 3
    assert len(calls) == 1


def test_an_observer_that_the_run_needs_ends_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.open()

    def fold(_: Entry) -> None:
        raise ValueError("no memory of it")

    journal.observe(fold)
    with pytest.raises(ValueError, match="no memory"):
        journal.write(Notice("x"))


def test_a_start_is_read_with_its_work_packages() -> None:
    data = {**own_keys("run.started"), "work_packages": {"WP01": {"lane": "done", "dependencies": []}}}
    found = decode("run.started", None, data)
    assert isinstance(found, RunStarted)
    assert found.work_packages["WP01"].lane == "done"
