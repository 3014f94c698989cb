"""Command lines as data: one item is one argument, whatever is filled in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kitty_run.host.template import render

from tests.host.placeholders import placeholders

WHEN_TARGET = [{"when": "target", "args": ["--target", "{target}"]}]


@given(st.text())
def test_a_value_is_one_argument_and_is_not_filled_in_again(value: str) -> None:
    assert render(["--note", "{text}"], {"text": value + "{wp}", "wp": "WP01"}) == ("--note", value + "{wp}")


@pytest.mark.parametrize(("target", "argv"), [("main", ("--target", "main")), (None, ()), ("", ())])
def test_a_part_is_left_out_where_its_value_is_not_given(target: str | None, argv: tuple[str, ...]) -> None:
    assert render(WHEN_TARGET, {"target": target}) == argv


@pytest.mark.parametrize(("lane", "argv"), [("in_review", ("--x",)), ("planned", ())])
def test_a_part_depends_on_a_value(lane: str, argv: tuple[str, ...]) -> None:
    assert render([{"when": {"lane": ["in_review"]}, "args": ["--x"]}], {"lane": lane}) == argv


def test_a_list_becomes_one_argument_each() -> None:
    assert render(["mark", {"each": "names"}], {"names": ["T1", "T 2"]}) == ("mark", "T1", "T 2")


@given(st.text())
def test_json_is_one_argument_that_reads_back(value: str) -> None:
    (argument,) = render([{"json": {"review": {"by": "{who}", "n": 1}}}], {"who": value})
    assert json.loads(argument) == {"review": {"by": value, "n": 1}}


def test_a_name_without_a_value_is_a_bug_and_no_empty_argument() -> None:
    with pytest.raises(KeyError):
        render(["{unknown}"], {})


def test_every_form_names_what_it_needs() -> None:
    items = ["{a}", {"each": "b"}, {"json": {"x": ["{c}"], "y": {"z": "{d}"}}}, *WHEN_TARGET]
    assert placeholders([*items, {"when": {"lane": ["x"]}, "args": ["{e}"]}]) == set("abcde") | {
        "target",
        "lane",
    }
