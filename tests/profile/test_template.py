"""Templates are rendered in a sandbox, and what would fail at run time is found before."""

from __future__ import annotations

import pytest
from kitty_run.errors import KittyRunError
from kitty_run.profile.template import NAMES, TemplateError, flaws, render

WP = {"id": "WP01", "title": "Retry payments", "dependencies": ["WP00"]}


def test_names_are_replaced() -> None:
    assert (
        render("feat({{ wp.id }}): {{ role }}\n", {"wp": WP, "role": "implement"})
        == "feat(WP01): implement\n"
    )


def test_text_without_expressions_stays_as_it_is() -> None:
    assert render("100 % { of } it\n", {}) == "100 % { of } it\n"


def test_values_are_never_templates_themselves() -> None:
    assert render("{{ feedback }}", {"feedback": "{{ wp.id }} {% if"}) == "{{ wp.id }} {% if"


@pytest.mark.parametrize(
    "text",
    [
        "{{ nothing }}",
        "{{ wp.nothing }}",
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ wp | attr('__class__') | string | nothing }}",
        "{% include 'x' %}",
        "{{ 1 / 0 }}",
        "{{ range(10000000) | list }}",
        "{% if %}",
        "{{ 'a' + 1 }}",
        "{{ lipsum() }}",
    ],
)
def test_what_can_not_be_rendered_is_an_expected_error(text: str) -> None:
    with pytest.raises(TemplateError, match="can't be rendered") as caught:
        render(text, {"wp": WP})
    assert isinstance(caught.value, KittyRunError)


def test_undefined_names_are_found_with_their_lines() -> None:
    found = flaws("{{ prompt }}\n\n{{ promt }} {% for x in xs %}{{ x }}{% endfor %}", NAMES)
    assert [(flaw.line, flaw.word) for flaw in found] == [(3, "promt"), (3, "xs")]


@pytest.mark.parametrize(
    "text",
    [
        "{{ wp.id }}",
        "{% for d in wp.dependencies %}{{ d }}{{ loop.index }}{% endfor %}",
        "{% set x = 1 %}{{ x }}",
        "{{ feedback | default('none', true) | indent(2) }}",
        "{% if session %}{{ session }}{% endif %}",
        "{{ policy['sandbox_mode'] }}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(role) }}",
        "{# a comment #}",
        "{% raw %}{{ whatever }}{% endraw %}",
    ],
)
def test_sound_templates_have_no_flaws(text: str) -> None:
    assert flaws(text, NAMES) == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{{ wp.nam }}", "nam"),
        ("{{ wp['nam'] }}", "nam"),
        ("{{ policy.sandbox }}", "sandbox"),
        ("{{ self }}", "self"),
        ("{{ ''.__class__ }}", "__class__"),
        ("{{ ''['__class__'] }}", "__class__"),
        ("{{ [] | attr('x') }}", "attr"),
        ("{{ cycler }}", "cycler"),
        ("{{ session._x }}", "_x"),
    ],
)
def test_flawed_templates_are_reported(text: str, word: str) -> None:
    assert [flaw.word for flaw in flaws(text, NAMES)] == [word]
