"""The table of hosts is read as it was written, and whatever the dialects claim beyond it is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from kitty_run.host.dialect import Dialect
from kitty_run.host.dialect_files import load_all

from tests.host_matrix.agreement import disagreements
from tests.host_matrix.page import PAGE
from tests.host_matrix.table import END, START, Row, read, written
from tests.host_matrix.versions import TOPOLOGIES, VERSIONS

CONTRACTS = {
    "1.": ("1.0.0", "feature"),
    "2.": ("1.0.0", "refused-feature-2"),
    "3.0": ("1.0.0", "refused-feature-2"),
    "3.1": ("1.0.0", "refused-mission-1.0"),
    "3.2.0": ("1.0.0", "refused-mission-1.0"),
    "3.2.3": ("1.1.0", "refused-mission-1.1"),
    "3.2.5": ("1.2.0", "refused-mission-1.1"),
    "3.2.6": ("1.4.0", "mission"),
    "3.2.7": ("1.5.0", "mission"),
    "4.0.0rc4": ("1.6.0", "refused-mission-1.6"),
    "4.0.0rc7": ("1.16.0", "mission-4"),
}


def sound(version: str) -> Row:
    """The host as the dialects say that it is."""
    contract, dialect = next(value for key, value in CONTRACTS.items() if version.startswith(key))
    if dialect.startswith("refused"):
        return Row(version, contract, f"`{dialect}`", "refused", "not started")
    played = [f"done, with help (`{one}`)" if one else "done" for one in TOPOLOGIES[dialect]]
    return Row(version, contract, f"`{dialect}`", "accepted, once repaired", "; ".join(played))


@pytest.fixture
def rows() -> dict[str, Row]:
    return {version: sound(version) for version in VERSIONS}


def test_hosts_that_are_as_the_dialects_say_agree(rows: dict[str, Row]) -> None:
    assert disagreements(list(rows.values())) == []


@pytest.mark.parametrize(
    ("version", "change", "words"),
    [
        ("3.2.7", lambda row: replace(row, doctor="refused"), "claims otherwise"),
        ("3.1.10", lambda row: replace(row, doctor="accepted"), "claims otherwise"),
        ("3.2.7", lambda row: replace(row, mission="done (`coord`)"), "no mission was finished"),
        ("3.2.7", lambda row: replace(row, mission="done (`lanes`); done (`coord`)"), "no mission"),
        ("4.0.0rc7", lambda row: replace(row, mission="exit status 1 (`coord`)"), "rc7"),
        ("4.0.0rc4", lambda row: replace(row, mission="done (`coord`)"), "a mission was started"),
        ("3.2.6.2", lambda row: replace(row, contract="1.2.0"), "is outside of mission"),
        ("3.2.6.2", lambda row: replace(row, contract="none"), "is outside of mission"),
        ("1.0.0", lambda row: replace(row, dialect="`nobody`"), "there is no dialect"),
    ],
)
def test_what_was_not_seen_is_no_claim(
    rows: dict[str, Row], version: str, change: Callable[[Row], Row], words: str
) -> None:
    rows[version] = change(rows[version])
    assert any(words in text for text in disagreements(list(rows.values())))


def test_a_host_that_is_missing_is_named(rows: dict[str, Row]) -> None:
    del rows["2.1.3"]
    assert disagreements(list(rows.values())) == ["2.1.3 is not in the table"]


def test_a_range_that_is_wider_than_what_was_seen_is_found(rows: dict[str, Row]) -> None:
    claims = [
        replace(one, contract=">=1.1", tested=replace(one.tested, contract=">=1.2"))
        if isinstance(one, Dialect) and one.name == "mission"
        else one
        for one in load_all()
    ]
    rows["3.2.5"] = replace(rows["3.2.5"], dialect="`mission`")
    assert disagreements(list(rows.values()), claims)


def test_the_table_is_read_as_it_was_written(rows: dict[str, Row]) -> None:
    page = f"before\n{START}\n\n| old |\n| --- |\n| row |\n\n{END}\nafter\n"
    new = written(page, rows.values())
    assert read(new) == tuple(rows.values())
    assert new.startswith("before\n")
    assert new.endswith("\nafter\n")
    assert "old" not in new
    assert written(new, rows.values()) == new
    with pytest.raises(ValueError, match="marks"):
        written("nothing", ())


def test_the_page_has_every_host_and_shows_what_the_dialects_claim() -> None:
    assert disagreements(read(PAGE.read_text(encoding="utf-8"))) == []
