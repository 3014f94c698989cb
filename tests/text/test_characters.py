"""Characters that do something are taken out; whatever is visible stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kitty_run.text.characters import plain, visible
from kitty_run.text.clean import clean, shortened

NEVER = frozenset(
    character
    for first, last in [
        *((0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x61C, 0x61C), (0x180E, 0x180E)),
        *((0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB)),
        *((0xD800, 0xDFFF), (0xE0000, 0xE007F)),
    ]
    for character in map(chr, range(first, last + 1))
)


@given(st.text(st.one_of(st.characters(), st.sampled_from(sorted(NEVER)))))
def test_no_text_keeps_a_character_that_does_something(text: str) -> None:
    found = clean(text)
    assert not NEVER & set(found)
    assert found == clean(found)
    found.encode("utf-8")


@pytest.mark.parametrize("character", sorted(NEVER - {chr(code) for code in range(0xD800, 0xE000)}))
def test_each_of_them_is_taken_out(character: str) -> None:
    assert visible(f"a{character}b") in {"ab", "a\nb"}


@pytest.mark.parametrize(
    "text",
    [
        "a\x1b]52;c;ZXZpbA==\x07b",
        "a\x1b]0;title\x1b\\b",
        "a\x1b]8;;http://evil\x07b",
        "a\x1b[2Jb",
        "a\x1b[31mb",
        "a\x1bPq#0\x1b\\b",
        "a\x1bMb",
        "a\u202eb",
        "a\x9bb",
        "a\u2066b",
    ],
)
def test_nothing_drives_the_terminal(text: str) -> None:
    assert visible(text) == "ab"


def test_a_sequence_without_an_end_hides_nothing() -> None:
    assert "the finding" in visible("\x1b]0;\nthe finding\x07")
    assert "the finding" in visible("\x1b]0;" + "x" * 5000 + "the finding\x07")


def test_every_kind_of_line_end_ends_a_line() -> None:
    assert visible("a\r\nb\rc\x85d\u2028e\u2029f\x0bg\x0ch") == "a\nb\nc\nd\ne\nf\ng\nh"


def test_what_is_visible_stays() -> None:
    text = "Ünïcödé 漢字 العربية\ttab\nline 🦊 e\u0301"
    assert visible(text) == text
    assert all(unicodedata.category(character) != "Cf" for character in text)


def test_what_is_no_character_is_shown_as_its_number() -> None:
    assert visible("a\udce4b") == "a\\udce4b"


def test_a_long_text_is_cut_and_says_by_how_much() -> None:
    assert shortened("a" * 100, 100) == "a" * 100
    assert shortened("a" * 101, 100) == "a" * 100 + " … (1 more characters)"
    assert shortened("a" * 10_000_000, 100) == "a" * 100 + " … (9999900 more characters)"


def test_logs_are_read_without_sequences_but_with_every_character_that_json_may_hold() -> None:
    assert plain("\x1b[1m{\r\n\x1b]0;title\x07\x1bM}\rx") == "{\n}\nx"
    assert plain('"\u2028\x85\u200b"') == '"\u2028\x85\u200b"'
    assert "the finding" in plain("\x1b]0;\nthe finding\x07")
