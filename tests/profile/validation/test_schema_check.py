"""The quick check never says yes where jsonschema says no, and says yes to every sound profile."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from kitty_run.profile.load import load
from kitty_run.profile.validation.fast_check import fits
from kitty_run.profile.validation.schema import profile_schema
from kitty_run.profile.yaml.tree import plain

SCHEMA: Any = profile_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
VALID = Path(__file__).resolve().parents[2] / "profiles" / "valid"
NAMES = sorted(path.name for path in VALID.glob("*.yaml"))
DOCUMENT: Any = load(VALID / "design-page.yaml").document()

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "30s", "1x", "auto", "runner", "{{ x }}", "PATH", "block", "skip", "a\nb"]),
    st.lists(st.sampled_from(["a", "a", "b", 3, None]), max_size=3),
    st.dictionaries(st.sampled_from(["do", "args", "x", "default", "name"]), st.just("retry"), max_size=2),
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, each in below for path in paths(each, (*at, key)))]


PATHS = [path for path in paths(DOCUMENT) if path]


@pytest.mark.parametrize("name", NAMES)
def test_sound_profiles_fit(name: str) -> None:
    assert fits(plain(load(VALID / name).resolved), SCHEMA)


@given(st.sampled_from(PATHS), JUNK)
def test_a_document_that_fits_is_valid_for_jsonschema_too(path: tuple[Any, ...], junk: Any) -> None:
    document = copy.deepcopy(DOCUMENT)
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = junk
    assert not fits(document, SCHEMA) or VALIDATOR.is_valid(document)


@pytest.mark.heavy
@given(st.sampled_from(PATHS))
def test_a_document_that_lacks_a_key_fits_only_where_jsonschema_agrees(path: tuple[Any, ...]) -> None:
    document = copy.deepcopy(DOCUMENT)
    place = document
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    assert fits(document, SCHEMA) == VALIDATOR.is_valid(document)
    if isinstance(place, dict):
        assert fits(document, SCHEMA, partial=True)
