"""`docs/journal.md` describes every event as the schema does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pytest_snapshot.plugin import Snapshot

from tests.report.journal_page import refreshed
from tests.report.test_event_schema import problems

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "journal.md").read_text(encoding="utf-8")


def test_the_documented_events_are_those_of_the_schema(snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = DOCS
    snapshot.assert_match(refreshed(PAGE), "journal.md")


def test_the_line_that_is_shown_is_one() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert problems(json.loads(shown)) == []
