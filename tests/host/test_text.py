"""Texts for the host are one bounded line without the characters that 1.0 hosts write unescaped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kitty_run.host.text import one_line


@given(st.text(), st.integers(10, 600))
def test_every_text_becomes_one_harmless_line(text: str, length: int) -> None:
    line = one_line(text, length)
    assert line.splitlines() == [line]
    assert 0 < len(line) <= length
    assert not set(line) & set('"\\–')
    assert not line.startswith("-")
    line.encode()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain words stay", "plain words stay"),
        ('we"ird \\ actor', "we'ird / actor"),
        ("line\n## Heading\r\n- 2026-01-01T00:00:00Z – evil – lane=done – x",
         "line ## Heading - 2026-01-01T00:00:00Z - evil - lane=done - x"),
        ("--force", "force"),
        ("a\x1b[31mred\x00\u2028b\u202e", "ared b"),
        ("\udcff", "/udcff"),
        ("x" * 12, "xxxxxxxxx…"),
    ],
)  # fmt: skip
def test_examples(text: str, line: str) -> None:
    assert one_line(text, 10 if text == "x" * 12 else 200) == line
