"""The end of a run, for people and for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.report.summary import as_json, as_text
from kitty_run.resources import schema_path
from pytest_snapshot.plugin import Snapshot

from tests.report.stories import STORIES, Played

Play = Callable[[str], Played]
SNAPSHOTS = Path(__file__).parent / "snapshots" / "summary"
SCHEMA = json.loads(schema_path("report").read_text(encoding="utf-8"))


def plain(text: str, root: Path) -> str:
    return re.sub(r"\b[0-9a-f]{10,12}\b", "COMMIT", text.replace(str(root), "ROOT"))


@pytest.mark.parametrize("name", list(STORIES))
def test_the_end_of(name: str, play: Play, snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = SNAPSHOTS
    world = play(name)
    snapshot.assert_match(plain(as_text(world.report, world.root), world.root), f"{name}.txt")


@pytest.mark.parametrize("name", list(STORIES))
def test_the_json_object_fits_its_schema(name: str, play: Play) -> None:
    printed = json.loads(json.dumps(as_json(play(name).report)))
    jsonschema.Draft202012Validator(SCHEMA).validate(printed)
    codes = {wp: EndCode(one["code"]).result for wp, one in printed["work_packages"].items()}
    assert codes == {wp: one["result"] for wp, one in printed["work_packages"].items()}


def test_the_schema_has_every_code() -> None:
    assert SCHEMA["$defs"]["endCode"]["enum"] == [code.value for code in EndCode]


@pytest.mark.parametrize("name", list(STORIES))
def test_whatever_is_not_done_says_why(name: str, play: Play) -> None:
    world = play(name)
    report = world.report
    rest = [one for one in report.work_packages.values() if one.result is not Result.DONE]
    assert all(one.reason for one in rest)
    text = " ".join(as_text(report, world.root).split())
    assert all(one.reason.split("\n")[0][5:60] in text for one in rest)
