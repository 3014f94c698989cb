"""`roles.review.diff`: how much of a change a reviewer is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.profile.load import load
from kitty_run.profile.model import Profile
from kitty_run.profile.review_diff import ReviewDiff, size
from kitty_run.profile.validation.problems import ProfileInvalid
from kitty_run.profile.validation.schema import profile_schema


def profile(folder: Path, diff: str) -> Profile:
    path = folder / "profile.yaml"
    path.write_text(
        f"version: 1\nextends: preset:claude\nroles:\n  review:\n    diff: {diff}\n", encoding="utf-8"
    )
    return load(path).profile


def test_the_defaults_are_those_that_the_schema_names(tmp_path: Path) -> None:
    keys = profile_schema()["properties"]["roles"]["properties"]["review"]["properties"]["diff"]["properties"]
    told = ReviewDiff(size(keys["limit"]["default"]), tuple(keys["exclude"]["default"]))
    assert profile(tmp_path, "{}").roles["review"].diff == ReviewDiff() == told


def test_both_can_be_set(tmp_path: Path) -> None:
    found = profile(tmp_path, "{limit: 1MB, exclude: ['*.snap', 'dist/**']}").roles["review"].diff
    assert found == ReviewDiff(1_000_000, ("*.snap", "dist/**"))
    assert profile(tmp_path, "{exclude: []}").roles["review"].diff.exclude == ()
    assert profile(tmp_path, "{limit: 0B}").roles["review"].diff.limit == 0


@pytest.mark.parametrize(
    ("diff", "told"),
    [
        (
            "{limit: 200000}",
            "limit: must be a size, is the number 200000 (with its unit: 200000B)",
        ),
        ("{limit: big}", "'big' is not a size (like 200kB or 1MB)"),
        ("{limit: 11MB}", "'11MB' is more than 10MB (like 200kB, and at most 10MB)"),
        ("{limit: 999999999MB}", "is more than 10MB"),
        ("{exclude: [':(top)x']}", "a name like *.lock or a path like dist/**"),
        ("{exclude: ['/etc']}", "a name like *.lock or a path like dist/**"),
        ("{excluded: []}", "exclude"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, diff: str, told: str) -> None:
    with pytest.raises(ProfileInvalid) as found:
        profile(tmp_path, diff)
    assert told in str(found.value)
