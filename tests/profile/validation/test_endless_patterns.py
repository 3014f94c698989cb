"""Patterns that backtrack without end are refused at their line."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.profile.load import load
from kitty_run.profile.validation.problems import ProfileInvalid

pytestmark = pytest.mark.heavy

PROFILE = """\
version: 1
extends: preset:claude
agents:
  claude:
    {field}
"""


@pytest.mark.parametrize(
    "field",
    [
        "success: {match: '(a+)+$'}",
        "failures: [{class: failed, match: '(a+)+$'}]",
        "output: {format: text, usage: '(a+)+$'}",
        "output: {lines: '(a+)+$'}",
    ],
)
def test_a_pattern_without_end_is_refused_where_it_is(tmp_path: Path, field: str) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text(PROFILE.format(field=field), encoding="utf-8")
    with pytest.raises(ProfileInvalid) as found:
        load(profile)
    (problem,) = [one for one in found.value.problems if "a pattern without end" in one.message]
    assert problem.line == 5
    assert "must match each text in one way only" in str(problem)
