"""Every kind of limit is in both places of the profile's schema, in the journal's, and reads well."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from kitty_run.profile.limits import LIMITS, LOG_MB, TIME, Allowance, Limit, Limits, unit_of
from kitty_run.profile.validation.schema import profile_schema
from kitty_run.resources import schema_path

LEVELS = {
    "limits": profile_schema()["properties"]["limits"]["properties"],
    "limits.work_package": profile_schema()["properties"]["limits"]["properties"]["work_package"][
        "properties"
    ],
}


OF_RUNS = {"cost_usd_per_day"}
"""Limits that no single work package can have."""

KINDS = [
    (level, limit)
    for level in sorted(LEVELS)
    for limit in LIMITS
    if not (level.endswith("work_package") and limit.key in OF_RUNS)
]


@pytest.mark.parametrize(("level", "limit"), KINDS, ids=[f"{level}-{limit.key}" for level, limit in KINDS])
def test_schemas_know_each_kind(level: str, limit: Limit) -> None:
    own = LEVELS[level][limit.key]
    assert (own.get("$ref") == "#/$defs/duration") is (limit.unit is TIME)
    event: dict[str, Any] = json.loads(schema_path("event").read_text(encoding="utf-8"))["$defs"][
        "limit.reached"
    ]
    assert re.search(event["properties"]["limit"]["pattern"], f"{level}.{limit.key}")


@pytest.mark.parametrize("limit", LIMITS, ids=[limit.key for limit in LIMITS])
def test_what_agents_report_is_a_key_of_their_output(limit: Limit) -> None:
    assert set(limit.reported) <= set(
        profile_schema()["$defs"]["agent"]["properties"]["output"]["properties"]
    )


def test_the_default_size_of_a_log_is_that_of_the_schema() -> None:
    assert LEVELS["limits"]["log_mb"]["default"] == LOG_MB == Limits().log_mb


def test_only_the_limits_that_are_set_are_given() -> None:
    given = [(limit.key, allowed) for limit, allowed in Limits(2.0, wall_clock=60.0).given()]
    assert given == [("cost_usd", 2.0), ("wall_clock", 60.0)]
    assert list(Allowance().given()) == []


@pytest.mark.parametrize(
    ("name", "used", "allowed", "part", "amount"),
    [
        ("limits.cost_usd", 20.4, 20, "20.40 of 20.00 USD", "20.00 USD"),
        ("limits.cost_usd", 0.004, 0.001, "0.0040 of 0.0010 USD", "0.0010 USD"),
        ("limits.tokens", 12, 10, "12 of 10 tokens", "10 tokens"),
        ("limits.wall_clock", 130.0, 120.0, "2 min 10 s of 2 min", "2 min"),
        ("limits.work_package.attempts", 1, 1, "1 of 1 attempts", "1 attempt"),
        ("limits.of_a_later_version", 3, 2, "3 of 2", "2"),
    ],
)
def test_amounts_read_in_their_unit(name: str, used: float, allowed: float, part: str, amount: str) -> None:
    assert unit_of(name).part(used, allowed) == part
    assert unit_of(name).amount(allowed) == amount
