"""Which branches a host protects, and what its merge drivers run."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.host.demands.git_demands import MergeDrivers, Protection

RULES = Protection(("main",), "conf.yaml", ("guard", "branches"), "LIFT")


@pytest.mark.parametrize(
    ("text", "branches"),
    [
        (None, {"main", "trunk"}),
        ("guard: {branches: [a, 1]}", {"a", "1"}),
        ("guard: {branches: []}", set()),
        ("guard: {branches: main}", {"main", "trunk"}),
        ("guard:", {"main", "trunk"}),
        ("- guard", {"main", "trunk"}),
        ("guard: {", {"main", "trunk"}),
    ],
)
def test_the_repository_s_own_list_counts_where_there_is_one(
    tmp_path: Path, text: str | None, branches: set[str]
) -> None:
    if text is not None:
        (tmp_path / "conf.yaml").write_text(text, encoding="utf-8")
    assert RULES.of(tmp_path, "trunk", {}) == branches


@pytest.mark.parametrize(("value", "lifted"), [("1", True), ("TRUE", True), ("0", False), ("", False)])
def test_the_variable_lifts_it(tmp_path: Path, value: str, lifted: bool) -> None:
    assert (RULES.of(tmp_path, None, {"LIFT": value}) == frozenset()) is lifted


def test_only_drivers_of_the_host_s_own_name_have_a_command() -> None:
    drivers = MergeDrivers("app-", "app merge-{name} %O %A %B")
    assert drivers.command_of("app-meta") == "app merge-meta %O %A %B"
    assert drivers.command_of("meta") is None
