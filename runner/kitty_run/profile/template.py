"""Templates in a profile: Jinja2 in a sandbox, strict about names.

What a template may refer to is one table here; `agents.prompts.variables` provides it at run time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from kitty_run.errors import KittyRunError
from kitty_run.profile.policy_axes import policy_axes

if TYPE_CHECKING:
    from jinja2 import Template, nodes

    from kitty_run.profile.templates.bounds import BoundedEnvironment

Names = Mapping[str, frozenset[str] | None]
"""Variables by name; the attributes of those that have some."""

POLICY_FIELDS = frozenset(
    {
        "orchestrator_id",
        "orchestrator_version",
        "agent_family",
        *policy_axes(),
        "dangerous_flags",
    }
)
"""The fields of `policy` that every run defines; `tool_restrictions` only where the profile sets it."""

NAMES: Names = {
    **dict.fromkeys(("mission", "role", "agent", "family", "attempt", "cycle", "workspace", "run_id")),
    **dict.fromkeys(("prompt", "prompt_file", "feedback", "verdict_file", "verdict_code", "session")),
    "wp": frozenset({"id", "title", "dependencies"}),
    "policy": POLICY_FIELDS,
}
"""What every attempt defines, for every template field. Arguments, `env` and `files` know `files` too."""

_JINJA_NAMES = frozenset({"self", "super"})
"""Names that Jinja2 defines in templates that inherit, which none here does."""

_SIMPLE = re.compile(r"\{\{\s*([a-z_]+)(?:\.([a-z_]+))?\s*\}\}")
_MARKERS = ("{{", "{%", "{#")


class TemplateError(KittyRunError):
    """A template can't be rendered: wrong syntax, an undefined name, or an access that is not allowed."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a template: in its line `line` (from 1), about `word` where there is one."""

    line: int
    message: str
    word: str = ""
    choices: tuple[str, ...] = ()


def render(text: str, variables: Mapping[str, object]) -> str:
    """`text` with its expressions replaced; raises `TemplateError`. A final newline is kept."""
    if not any(marker in text for marker in _MARKERS):
        return text
    try:
        return _rendered(text, variables)
    except _failures() as error:
        start = text.strip().splitlines()[0][:60] if text.strip() else ""
        raise TemplateError(f"the template {start!r} can't be rendered: {_words(error)}") from error


def flaws(text: str, names: Names) -> list[Flaw]:
    """Everything wrong with the template `text` where a run defines `names`."""
    if not any(marker in text for marker in _MARKERS) or _is_simple(text, names):
        return []
    from jinja2 import TemplateSyntaxError

    try:
        tree = _parsed(text)
        found = [*_undefined(tree, names), *_internals(tree)]
        if not found:
            found = [*_without_end(text, names)]
    except TemplateSyntaxError as error:
        return [Flaw(error.lineno, f"not a template: {error.message}")]
    return sorted(set(found), key=lambda flaw: (flaw.line, flaw.message))


def _is_simple(text: str, names: Names) -> bool:
    """Whether `text` has only expressions like `{{ wp.id }}`, all defined: no need for the real parser."""
    for name, attribute in _SIMPLE.findall(text):
        if name not in names or (attribute and attribute not in (names[name] or ())):
            return False
    rest = _SIMPLE.sub("", text)
    return not any(marker in rest for marker in _MARKERS)


def _rendered(text: str, variables: Mapping[str, object]) -> str:
    from kitty_run.profile.templates.allowance import allowance

    template = _compiled(text)
    with allowance():
        return template.render(variables)


def _failures() -> tuple[type[Exception], ...]:
    """What a template can raise when it is compiled or rendered."""
    from jinja2 import TemplateError as JinjaError

    python = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
    return (JinjaError, *python, RecursionError, MemoryError, SyntaxError)


def _words(error: Exception) -> str:
    deep = isinstance(error, RecursionError | MemoryError | SyntaxError)
    return "it is nested too deep" if deep else str(error)[:500]


def _parsed(text: str) -> nodes.Template:
    """The tree of `text`, of a bounded depth; raises `TemplateSyntaxError` with the line."""
    from jinja2 import TemplateSyntaxError
    from jinja2.parser import Parser

    from kitty_run.profile.templates.bounds import check_shape

    parser = Parser(_environment(), text)
    try:
        tree = parser.parse()
    except RecursionError:
        raise TemplateSyntaxError("it is nested too deep", parser.stream.current.lineno) from None
    if (wrong := check_shape(tree)) is not None:
        raise TemplateSyntaxError(wrong[1], wrong[0])
    return tree


def _without_end(text: str, names: Names) -> Iterator[Flaw]:
    """What would take too much at run time, whatever the names mean: found by rendering it once."""
    from kitty_run.profile.templates.allowance import BoundsError

    example = {name: dict.fromkeys(known, "x") if known else "x" for name, known in names.items()}
    try:
        _rendered(text, example)
    except (BoundsError, RecursionError, MemoryError, SyntaxError) as error:
        yield Flaw(_line(error), f"a template without bounds: {_words(error)}")
    except _failures():
        return  # it may be sound with the values of a run


def _line(error: Exception) -> int:
    """The template's line in which `error` was raised."""
    found, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    """A profile's few templates are rendered for every attempt, and compiling takes most of that time."""
    _parsed(text)
    return _environment().from_string(text)


@cache
def _environment() -> BoundedEnvironment:
    from kitty_run.profile.templates.bounds import BoundedEnvironment

    return BoundedEnvironment()


def _undefined(tree: nodes.Template, names: Names) -> Iterator[Flaw]:
    from jinja2 import meta, nodes

    unknown = meta.find_undeclared_variables(tree) - names.keys() - {"range"}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and (name.name in unknown or name.name in _JINJA_NAMES):
            message = f"{name.name!r} is a name that no run defines"
            yield Flaw(name.lineno, message, name.name, tuple(sorted(names)))
    for node, attribute in _attributes(tree):
        yield from _unknown_attribute(node, attribute, names)


def _unknown_attribute(node: nodes.Getattr | nodes.Getitem, attribute: str, names: Names) -> Iterator[Flaw]:
    owner = getattr(node.node, "name", None)
    known = names.get(owner) if isinstance(owner, str) else None
    if known is not None and attribute not in known and not attribute.startswith("_"):
        message = f"'{owner}.{attribute}' is a name that no run defines"
        yield Flaw(node.lineno, message, attribute, tuple(sorted(known)))


def _attributes(tree: nodes.Template) -> Iterator[tuple[nodes.Getattr | nodes.Getitem, str]]:
    from jinja2 import nodes

    for getattr_ in tree.find_all(nodes.Getattr):
        yield getattr_, getattr_.attr
    for getitem in tree.find_all(nodes.Getitem):
        if isinstance(getitem.arg, nodes.Const) and isinstance(getitem.arg.value, str):
            yield getitem, getitem.arg.value


def _internals(tree: nodes.Template) -> Iterator[Flaw]:
    """Ways out of the sandbox, or to other templates; refused before anything could run."""
    from jinja2 import nodes

    for node, attribute in _attributes(tree):
        if attribute.startswith("_"):
            yield Flaw(node.lineno, f"templates can't reach Python's internals: {attribute!r}", attribute)
    for filter_ in tree.find_all(nodes.Filter):
        if filter_.name == "attr":
            yield Flaw(filter_.lineno, "the filter 'attr' is not allowed in templates", "attr")
    loading = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
    for statement in tree.find_all(loading):
        yield Flaw(statement.lineno, "templates can't load other templates")
