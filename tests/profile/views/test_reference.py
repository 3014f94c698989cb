"""`docs/profile.md` tells every key as the schema does."""

from __future__ import annotations

from pathlib import Path

from kitty_run.profile.views.reference import refreshed
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_documented_keys_are_those_of_the_schema(snapshot: Snapshot) -> None:
    page = (DOCS / "profile.md").read_text(encoding="utf-8")
    snapshot.snapshot_dir = DOCS
    snapshot.assert_match(refreshed(page), "profile.md")
