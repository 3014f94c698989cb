"""The table of retry verbs is complete, and docs, schemas and type checker agree with it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
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


def test_a_verb_that_is_forgotten_does_not_type_check(tmp_path: Path) -> None:
    """A copy of the runner with one verb more: mypy names the table, and every place that acts on verbs."""
    shutil.copytree(ROOT / "runner", tmp_path / "runner")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    model = tmp_path / "runner" / "kitty_run" / "profile" / "model.py"
    text = model.read_text()
    model.write_text(text.replace('    ABORT = "abort"\n', '    ABORT = "abort"\n    NOTIFY = "notify"\n'))
    package = tmp_path / "runner" / "kitty_run"
    places = [
        "profile/retry_verbs.py",
        *(f"engine/lifecycle/{name}.py" for name in ("recovery", "host_calls", "review")),
    ]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--follow-imports=silent",
            *(str(package / place) for place in places),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert {line.split(":")[0] for line in errors} == {f"runner/kitty_run/{place}" for place in places}
    assert all("assert_never" in line and "NOTIFY" in line for line in errors), done.stdout
