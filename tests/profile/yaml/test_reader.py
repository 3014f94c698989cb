"""YAML's traps are safe or problems, hostile documents end in a message, and every value knows its place."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kitty_run.profile.load import load
from kitty_run.profile.validation.problems import ProfileInvalid
from kitty_run.profile.yaml.position import Source
from kitty_run.profile.yaml.reader import read_document
from kitty_run.profile.yaml.tree import MapNode, find, key_place, plain


def read(text: str) -> tuple[MapNode | None, list[str]]:
    root, problems = read_document(Source("p.yaml", text))
    return root, [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("y", "y"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("nULL", "nULL"),
        ("'010'", "010"),
        ('"true"', "true"),
        ("0b11", "0b11"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_plain_scalars_are_read_as_yaml_1_2_core_says(text: str, value: object) -> None:
    root, problems = read(f"key: {text}\n")
    assert not problems
    assert root is not None
    result = plain(root)
    assert result == {"key": value}
    assert isinstance(result, dict)
    assert type(result["key"]) is type(value)


def test_keys_are_the_text_that_is_written() -> None:
    root, problems = read("yes: 1\n010: 2\ntrue: 3\n~: 4\n1.50: 5\n")
    assert not problems
    assert root is not None
    assert plain(root) == {"yes": 1, "010": 2, "true": 3, "~": 4, "1.50": 5}


def test_every_value_knows_its_line_and_column() -> None:
    root, _ = read("a:\n  b:\n    - x\n    - {c: y}\n")
    assert root is not None
    node = find(root, ("a", "b", 1, "c"))
    assert node is not None
    assert (node.place.line, node.place.column) == (4, 11)
    key = key_place(root, ("a", "b", 1, "c"))
    assert (key.line, key.column) == (4, 8)


def test_an_alias_keeps_the_place_of_its_anchor() -> None:
    root, problems = read("a: &x {b: 1}\nc: *x\n")
    assert not problems
    assert root is not None
    node = find(root, ("c", "b"))
    assert node is not None
    assert node.place.line == 1


def test_a_merge_key_adds_what_the_map_does_not_say_itself() -> None:
    root, problems = read("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\n")
    assert not problems
    assert root is not None
    assert plain(root)["c"] == {"x": 3, "y": 1, "z": 2}  # type: ignore[index]


HOSTILE = {
    "ten thousand lists": "a: " + "[" * 10_000 + "]" * 10_000,
    "ten thousand maps": "{a: " * 10_000,
    "ten thousand block maps": "".join(" " * level + "a:\n" for level in range(1_000)),
    "ten thousand sequences on a line": "- " * 10_000,
    "billion laughs": "a0: &a0 [x]\n"
    + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 40)),
    "deep by aliases": "a0: &a0 [x]\n"
    + "".join(f"a{i}: &a{i} {'[' * 30}*a{i - 1}{']' * 30}\n" for i in range(1, 99)),
    "quadratic simple keys": "a: [" + "? ," * 100_000,
    "unfinished quotes": "a: '" + "''" * 400_000,
    "unfinished tags": "a: " + "!" * 500_000,
    "many anchors": "".join(f"a{i}: &a{i} x\n" for i in range(60_000)),
    "a number of a million digits": "a: " + "9" * 1_000_000,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_ends_in_a_message_or_a_small_tree(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(HOSTILE[name], encoding="utf-8")
    with pytest.raises(ProfileInvalid) as caught:
        load(path)
    assert str(path.name) in str(caught.value)


@pytest.mark.timeout(20)
def test_a_file_of_50_mb_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        for _ in range(50):
            file.write(b"a" * 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ProfileInvalid, match="larger than 1 MiB"):
        load(path)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 20_000


def test_a_file_of_2_mib_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("version: 1\n" + "# padding\n" * 210_000, encoding="utf-8")
    with pytest.raises(ProfileInvalid, match=r"large\.yaml:1:1: /: larger than 1 MiB"):
        load(path)


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match=r"none\.yaml:1:1: /: can't be read: no such file"):
        load(tmp_path / "none.yaml")


@given(st.text(max_size=200))
def test_no_text_crashes_the_reader(text: str) -> None:
    root, problems = read(text)
    assert (root is None) == (root is None and bool(problems))


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@,? \n\t1<", max_size=80))
def test_no_yaml_like_text_crashes_the_reader(text: str) -> None:
    root, problems = read(text)
    assert isinstance(root, MapNode) or problems
