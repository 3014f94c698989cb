"""Whatever is in a profile, loading it ends with a profile or with problems, never with a crash."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kitty_run.profile.load import load
from kitty_run.profile.validation.problems import Problem, ProfileInvalid

from tests.examples import examples
from tests.profile.validation.test_schema_check import DOCUMENT, JUNK, PATHS

pytestmark = pytest.mark.whole
ONE_FOLDER = [HealthCheck.function_scoped_fixture]

WORDS = [
    *(
        "",
        "x",
        "30s",
        "0s",
        "none",
        "auto",
        "runner",
        "{{ x }}",
        "{{",
        "{% if",
        "PATH",
        "block",
        "skip",
        "a\nb",
    ),
    *("preset:claude", "preset:", "git+x", "/a/~2", "(", "~", "~nobody-of-this-name/x", "\x00", "a" * 5000),
    *("--yolo", "secret", "🐈", "/dev/null", "..", ".", "https://x", "git+file:///x@y#z", "merge", "false"),
]
ANYTHING = st.recursive(
    JUNK | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=6,
)
TOP = [("extends",), ("locked",), ("min_kitty_run",), ("version",), ("name",), *PATHS]


def mutated(path: tuple[Any, ...], value: Any) -> Any:
    document = copy.deepcopy(DOCUMENT)
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return document


def problems_of(file: Path) -> tuple[Problem, ...]:
    try:
        load(file)
    except ProfileInvalid as error:
        return error.problems
    return ()


@settings(max_examples=examples(200), suppress_health_check=ONE_FOLDER, deadline=None)
@given(st.sampled_from(TOP), ANYTHING)
def test_a_mutated_profile_never_crashes(tmp_path: Path, path: tuple[Any, ...], value: Any) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text(yaml.safe_dump(mutated(path, value), allow_unicode=True), encoding="utf-8")
    problems = problems_of(file)
    assert all(problem.message and problem.line > 0 for problem in problems)


@settings(max_examples=examples(100), suppress_health_check=ONE_FOLDER, deadline=None)
@given(st.sampled_from(TOP), ANYTHING)
def test_a_mutated_layer_never_crashes(tmp_path: Path, path: tuple[Any, ...], value: Any) -> None:
    base, top = tmp_path / "base.yaml", tmp_path / "top.yaml"
    base.write_text(yaml.safe_dump({**DOCUMENT, "locked": ["/policy", "/limits/tokens"]}), encoding="utf-8")
    layer: Any = value
    for part in reversed(path):
        layer = {part: layer} if isinstance(part, str) else [layer]
    layer = {"extends": ["base.yaml"], **layer}
    top.write_text(yaml.safe_dump(layer, allow_unicode=True), encoding="utf-8")
    problems_of(top)


@pytest.mark.parametrize("entry", ["~nobody-of-this-name/x.yaml", "loop.yaml", "a" * 300, "a\\0b"])
def test_a_path_that_can_not_be_is_a_problem(entry: str, tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    file = tmp_path / "profile.yaml"
    file.write_text(f'version: 1\nextends: ["{entry}"]\n', encoding="utf-8")
    with pytest.raises(ProfileInvalid, match="/extends/0"):
        load(file)
