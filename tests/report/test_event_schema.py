"""The journal's schema: everything that is written fits it, and nothing in it is never written."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import kitty_run
import pytest
from kitty_run.engine.state.events import EVENTS, RunResumed, RunStarted
from kitty_run.resources import schema_path

from tests.report.stories import STORIES, Played

Play = Callable[[str], Played]
SCHEMA: dict[str, Any] = json.loads(schema_path("event").read_text(encoding="utf-8"))
TYPES = {entry["$ref"].removeprefix("#/$defs/") for entry in SCHEMA["oneOf"]}
NOT_IN_STORIES = {"run.resumed", "call.ended", "git.restored", "egress.denied", "work.delivered"}


def problems(line: Mapping[str, Any]) -> list[str]:
    """What is wrong with a journal line, by its own type's part of the schema."""
    if line.get("type") not in TYPES:
        return [f"no such type: {line.get('type')}"]
    own = {"$ref": f"#/$defs/{line['type']}", "$defs": SCHEMA["$defs"]}
    checker = jsonschema.Draft202012Validator(own)
    return [f"{line['type']}: {error.json_path}: {error.message}" for error in checker.iter_errors(line)]


def lines(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]


def made_types() -> Iterator[str]:
    """The type of every event that the package makes, or hands on to be made."""
    types = {kind.__name__: name for name, kind in EVENTS.items()}
    for path in sorted(Path(kitty_run.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in types:
                yield types[node.func.id]


BEGINS = {RunStarted.TYPE, RunResumed.TYPE}
"""Of one shape, so that they are made by one function, which gets the type."""


@pytest.mark.parametrize("name", list(STORIES))
def test_every_line_of_a_journal_fits_the_schema(name: str, play: Play) -> None:
    journal = lines(play(name).place.journal)
    assert [found for line in journal for found in problems(line)] == []
    assert [line["seq"] for line in journal] == list(range(1, len(journal) + 1))


def test_the_stories_have_every_type(play: Play) -> None:
    found = {line["type"] for name in STORIES for line in lines(play(name).place.journal)}
    assert found | NOT_IN_STORIES == TYPES


def test_the_schema_has_every_type_that_is_written_and_no_other() -> None:
    assert set(made_types()) | BEGINS == TYPES


def test_a_line_fits_one_type_only(play: Play) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert all(validator.is_valid(line) for line in lines(play("rework").place.journal))


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_type_is_closed_and_every_key_described(name: str) -> None:
    definition = SCHEMA["$defs"][name]
    assert definition["additionalProperties"] is False
    assert definition["properties"]["type"]["const"] == name
    assert set(definition["required"]) <= set(definition["properties"])
    assert [key for key, value in _properties(definition) if not _described(value)] == []


def _properties(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, value in schema.get("properties", {}).items():
        yield key, value
        yield from _properties(value)
    for nested in ("items", "additionalProperties"):
        if isinstance(schema.get(nested), dict):
            yield from _properties(schema[nested])


def _described(value: Mapping[str, Any]) -> bool:
    shared = SCHEMA["$defs"].get(str(value.get("$ref", "")).removeprefix("#/$defs/"), {})
    return bool(value.get("description") or shared.get("description"))


@pytest.mark.parametrize(
    "change",
    [{"extra": 1}, {"v": 2}, {"seq": 0}, {"at": "yesterday"}, {"type": "run.paused"}, {"wp": None}],
    ids=str,
)
def test_a_line_that_is_not_one_is_named(play: Play, change: dict[str, Any]) -> None:
    line = lines(play("smooth").place.journal)[0]
    assert problems({**line, **change}) != []
