"""Templates that would take memory or time without end are refused, where they stand."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest
from kitty_run.profile.template import NAMES, TemplateError, flaws, render

pytestmark = pytest.mark.heavy

ENDLESS = {
    "repeat": "{{ 'a' * 10**9 }}",
    "repeat_lists": "{{ [0] * 10**9 }}",
    "power": "{{ 3**(10**8) }}",
    "power_of_power": "{{ 9**9**9**9 }}",
    "loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}"
    "{% endfor %}{% endfor %}{% endfor %}",
    "doubled": "{% set x = 'aaaaaaaa' %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}",
    "doubled_blocks": "{% set x = 'aaaaaaaa' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 40 + "{{ x }}",
    "doubled_lists": "{% set x = [1] %}" + "{% set x = [x, x] %}" * 40 + "{{ x }}",
    "compared": "{% set x = [1] %}{% set y = [1] %}"
    + "{% set x = [x, x] %}{% set y = [y, y] %}" * 40
    + "{{ x == y }}",
    "macro": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
    "percent": "{{ '%1000000000d' % 1 }}",
    "star": "{{ '%*d' % (1000000000, 1) }}",
    "format_filter": "{{ '%1000000000d' | format(1) }}",
    "format": "{{ '{:1000000000}'.format(1) }}",
    "format_map": "{{ '{x:1000000000}'.format_map({'x': 1}) }}",
    "nested_format": "{{ '{:{}}'.format(1, 1000000000) }}",
    "center": "{{ 'a' | center(1000000000) }}",
    "indent": "{{ ('a\\n' * 1000) | indent(1000000000) }}",
    "indent_lines": "{{ ('a\\n' * 100000) | indent('x' * 100000) }}",
    "join": "{{ range(9999) | join('x' * 1000000) }}",
    "join_yielded": "{{ range(9999) | map('string') | join('x' * 1000000) }}",
    "join_method": "{{ ('x' * 1000000).join('a' * 100000) }}",
    "replace": "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
    "replace_filter": "{{ ('a' * 100000) | replace('a', 'b' * 100000) }}",
    "ljust": "{{ 'a'.ljust(1000000000) }}",
    "zfill": "{{ 'a'.zfill(1000000000) }}",
    "expandtabs": "{{ '\\t'.expandtabs(1000000000) }}",
    "mapped": "{{ ([('a' * 100000)] * 9999) | map('upper') | list }}",
    "mapped_width": "{{ range(9999) | map('center', 9999) | list }}",
    "translated": "{{ 'a'.translate({97: 'b'}) }}",
}

DEEP = {
    "parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "lists": "{{ " + "[" * 90 + "1" + "]" * 90 + " }}",
    "negations": "{{ " + "not " * 3000 + "1 }}",
    "sums": "{{ 1" + " + 1" * 3000 + " }}",
    "attributes": "{{ wp" + ".id" * 3000 + " }}",
    "blocks": "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "loops": "{% for x in [1] %}" * 30 + "{% endfor %}" * 30,
    "conditions": "{{ " + "1 if 1 else " * 2000 + "1 }}",
    "many": "{{ 1 }}" * 20_000,
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_template_without_end_is_refused_at_its_line(name: str) -> None:
    (flaw,) = flaws("sound\n\n" + ENDLESS[name] + "\n", NAMES)
    assert (flaw.line, flaw.message.split(":")[0]) == (3, "a template without bounds")


@pytest.mark.parametrize("name", DEEP)
def test_a_template_nested_too_deep_is_refused_at_its_line(name: str) -> None:
    (flaw,) = flaws("sound\n\n" + DEEP[name] + "\n", NAMES)
    assert flaw.line == 3


@pytest.mark.parametrize("text", [*ENDLESS.values(), *DEEP.values()])
def test_what_was_never_checked_is_refused_when_it_is_rendered(text: str) -> None:
    with pytest.raises(TemplateError, match="can't be rendered"):
        render(text, {"wp": {"id": "WP01"}})


def test_all_of_them_take_little_memory() -> None:
    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))

    program = (
        "from tests.profile.templates.test_bounds import ENDLESS, NAMES, flaws\n"
        "for text in ENDLESS.values():\n    assert 'without bounds' in flaws(text, NAMES)[0].message\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, preexec_fn=bound)


def test_large_values_of_a_run_are_no_templates_without_end() -> None:
    feedback = "line\n" * 100_000
    text = "{% if feedback %}{{ feedback | indent(2) }}{{ feedback | replace('line', 'row') }}{% endif %}"
    assert len(render(text, {"feedback": feedback})) > len(feedback)


def test_loops_and_methods_of_use_still_work() -> None:
    text = "{% for d in names %}{{ loop.index }}/{{ loop.length }} {{ d.upper().ljust(4) }}|{% endfor %}"
    assert render(text, {"names": ["a", "b"]}) == "1/2 A   |2/2 B   |"
    assert (
        render("{{ '%s-%03d' | format('a', 7) }} {{ '{}'.format(1) }} {{ 2 ** 10 * 3 }}", {})
        == "a-007 1 3072"
    )
