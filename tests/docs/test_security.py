"""`SECURITY.md` says no more than tests show: each promise names tests, and these exist."""

from __future__ import annotations

import re

import pytest

from tests.hosts import CHECKOUT

PAGE = (CHECKOUT / "SECURITY.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## What is promised")[2].partition("\n## ")[0]
PROMISES = [line.strip("|").split("|") for line in TABLE.splitlines() if line.startswith("| ")][2:]
NAMED = sorted(set(re.findall(r"`(tests/[^`]*)`", PAGE)))


@pytest.mark.parametrize("promise", PROMISES, ids=lambda cells: cells[1].strip()[:40])
def test_each_promise_says_against_whom_and_where_it_is_tested(promise: list[str]) -> None:
    against, said, tests = promise
    assert against.strip()
    assert said.strip()
    assert re.fullmatch(r" (`tests/[\w/]+/test_\w+\.py`(, )?)+ ", tests)


@pytest.mark.parametrize("path", NAMED)
def test_each_test_that_it_names_is_there(path: str) -> None:
    assert "\ndef test_" in (CHECKOUT / path).read_text(encoding="utf-8").replace(
        "    def test_", "\ndef test_"
    )


def test_it_is_found_from_the_readme_and_says_how_to_report() -> None:
    assert "(SECURITY.md)" in (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert "(../SECURITY.md)" in (CHECKOUT / "docs" / "safety.md").read_text(encoding="utf-8")
    assert "private vulnerability reporting" in PAGE
