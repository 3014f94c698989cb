"""The table of retry verbs is complete, and docs, schemas and type checker agree with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from kitty_run.profile.model import Action
from kitty_run.profile.retry_verbs import Verb, verb

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("action", Action)
def test_every_verb_has_a_row_that_repeats_or_ends_or_neither_but_never_both(action: Action) -> None:
    row = verb(action)
    assert not (row.repeats and row.ends)
    assert all((row.doc, row.schema, row.forecast, row.live))
    assert [text for text in re.findall(r"\{.*?\}", row.live) if text != "{wait}"] == []


def test_no_two_verbs_share_a_row() -> None:
    rows: list[Verb] = [verb(action) for action in Action]
    assert len(set(rows)) == len(rows)


def test_the_manual_has_the_rows_of_the_table() -> None:
    manual = (ROOT / "docs" / "profile.md").read_text()
    section = manual.split("## What `do` does")[1].split("\n## ")[0]
    found = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE))
    assert found == {"do": "what happens", **{action.value: verb(action).doc for action in Action}}


def test_the_schemas_describe_the_rows_of_the_table() -> None:
    definitions = json.loads((ROOT / "schemas" / "profile.schema.json").read_text())["$defs"]
    said = "What is done about it: " + "; ".join(f"`{one}` {verb(one).schema}" for one in Action) + "."
    rows = [
        definition["properties"]["do"] for name, definition in definitions.items() if name.endswith("Row")
    ]
    assert [row["description"] for row in rows] == [said] * 4
    assert {value for row in rows for value in row["enum"]} == set(Action)
    events = json.loads((ROOT / "schemas" / "event.schema.json").read_text())["$defs"]
    assert set(events["action"]["enum"]) == set(Action)
