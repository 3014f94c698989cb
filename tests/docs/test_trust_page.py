"""`docs/trust.md` says of every family what its preset comes to, and names what is there."""

from __future__ import annotations

import re

from kitty_run.profile.trust.families import family_names
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from tests.docs.trust_table import refreshed, table
from tests.hosts import CHECKOUT

DOCS = CHECKOUT / "docs"


def test_the_table_is_what_the_presets_come_to(snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = DOCS
    snapshot.assert_match(refreshed((DOCS / "trust.md").read_text(encoding="utf-8")), "trust.md")


def test_every_family_has_its_row_and_no_degree_is_unknown() -> None:
    rows = [line.strip("| ").split(" | ") for line in table().splitlines()[2:]]
    assert [row[0] for row in rows] == family_names()
    assert {cell for row in rows for cell in row[1:]} <= {"confined", "cli", "declared", "–"}


def test_the_files_that_it_names_are_there() -> None:
    page = (DOCS / "trust.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:profiles|tests|docs)/[\w./-]+)`", page)
    assert named
    assert [name for name in named if not (CHECKOUT / name).exists()] == []
