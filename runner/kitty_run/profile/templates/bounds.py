"""Jinja2 for templates that may have no end: what they make is paid for, where possible before it is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import wraps
from types import BuiltinMethodType
from typing import Any, cast

from jinja2 import StrictUndefined, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from kitty_run.profile.templates.allowance import ELEMENT, TURN, BoundsError, listed, paid, size, spend, turns

NUMBER = 10_000
"""The largest number that a filter, a method or `range` takes: widths, counts, positions."""
BITS = 256
DEPTH = 60
LOOPS = 8
"""Loops within loops: Python's own limit is 20 blocks."""
NODES = 5_000

_WIDTH = re.compile(r"\d{4,}|\*")
_NESTED = re.compile(r"\{[^{}]*\{")
_METHODS = frozenset(
    """capitalize casefold center count endswith find format format_map get index isalnum isalpha isascii
    isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper items join keys ljust
    lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split
    splitlines startswith strip swapcase title upper values zfill""".split()  # noqa: SIM905 - easier to read
)
_PRODUCTS = frozenset({"indent", "join", "tojson", "wordwrap", "urlize", "expandtabs"})


def check_shape(tree: nodes.Template) -> tuple[int, str] | None:
    """Line and words where the template is nested too deep or has too many expressions; without recursion."""
    stack: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    seen = 0
    while stack:
        node, depth, loops = stack.pop()
        seen += 1
        loops += isinstance(node, nodes.For)
        if loops > LOOPS:
            return node.lineno, f"it has loops nested more than {LOOPS} levels deep"
        if depth > DEPTH:
            return node.lineno, f"it is nested more than {DEPTH} levels deep"
        if seen > NODES:
            return node.lineno, f"it has more than {NODES} parts"
        stack.extend((child, depth + 1, loops) for child in node.iter_child_nodes())
    return None


class BoundedEnvironment(SandboxedEnvironment):
    """Jinja2's sandbox, with nothing computed while it compiles, and everything paid for when it renders."""

    intercepted_binops = frozenset(SandboxedEnvironment.default_binop_table)

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined, keep_trailing_newline=True, optimized=False, finalize=_finalize
        )
        self.globals.clear()
        self.globals["range"] = _range
        self.filters = {name: _paid(name, function) for name, function in self.filters.items()}
        self.filters |= {"_paid": paid, "_turns": turns}

    def _generate(self, source: nodes.Template, *args: Any, **options: Any) -> str:
        return super()._generate(_Paying().visit(source), *args, **options)

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """The parts of an output, a macro's or a block's, joined."""
        kept = []
        for part in parts:
            spend(len(part) + 1)
            kept.append(part)
        return "".join(kept)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic with small numbers, and texts and lists that can be paid for."""
        spend(size(left) + size(right))
        if operator == "**" and not _small(left, right):
            raise BoundsError("the number is too large")
        if operator == "*":
            _check_product(left, right)
        if operator == "%" and isinstance(left, str):
            _check_format(left, left.count("%"), (right,))
        return paid(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, /, *args: Any, **options: Any) -> Any:
        """A call of a method, a macro or `range`."""
        spend(TURN)
        args = tuple(listed(value) for value in args)
        name, owner = getattr(function, "__name__", ""), getattr(function, "__self__", None)
        if isinstance(function, BuiltinMethodType) and name not in _METHODS:
            raise BoundsError(f"the method {name!r} is not allowed in templates")
        if isinstance(owner, str | list | tuple | dict):
            values = (owner, *args)
            _check(name, (args[0], owner) if name == "join" and args else values, options)
        return paid(super().call(context, function, *args, **options))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`str.format`, with fields of a bounded width."""
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None

        def bounded(*args: Any, **options: Any) -> str:
            text = value.__self__
            _check_format(text, text.count("{"), (*args, *options.values()))
            if _NESTED.search(text):
                raise BoundsError("a width that is a field itself is not allowed")
            return str(paid(wrapped(*args, **options)))

        return bounded


class _Paying(NodeTransformer):
    """Wraps what Jinja2 computes without asking its environment."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - the name is Jinja2\'s
        self.generic_visit(node)
        node.iter = _wrapped(node.iter, "_turns")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802 - the name is Jinja2\'s
        self.generic_visit(node)
        node.nodes = [_wrapped(one) for one in node.nodes]
        return _wrapped(node)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802 - the name is Jinja2\'s
        self.generic_visit(node)
        node.expr = _wrapped(node.expr)
        for operand in node.ops:
            operand.expr = _wrapped(operand.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802 - the name is Jinja2\'s
        self.generic_visit(node)
        return _wrapped(node) if isinstance(node.arg, nodes.Slice) else node

    def visit_List(self, node: nodes.List) -> nodes.Expr:  # noqa: N802 - the name is Jinja2\'s
        self.generic_visit(node)
        return _wrapped(node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:  # noqa: N802 - the name is Jinja2\'s
        self.generic_visit(node)
        return _wrapped(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802 - the name is Jinja2\'s
        self.generic_visit(node)
        return _wrapped(node) if node.ctx == "load" else node


def _wrapped(node: nodes.Node, name: str = "_paid") -> nodes.Filter:
    return nodes.Filter(
        cast("nodes.Expr", node), name, [], [], None, None, lineno=node.lineno, environment=node.environment
    )


@pass_context
def _finalize(_context: Context, value: object) -> object:
    # That it takes the context keeps Jinja2 from calling it, and what it prints, while it compiles.
    return paid(value)


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > NUMBER:
        raise BoundsError(f"range() is limited to {NUMBER} numbers")
    return found


def _paid(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    passed = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def paying(*args: Any, **options: Any) -> Any:
        args = tuple(listed(value) for value in args)
        _check(name, args[passed:], options)
        return paid(function(*args, **options))

    return paying


def _check(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> None:
    """What a filter or a method called `name` would cost; the first of `values` is what it is applied to."""
    others = [*values[1:], *options.values()]
    spend(TURN + sum(size(value) for value in values) + sum(size(value) for value in options.values()))
    if any(isinstance(value, int) and abs(value) > NUMBER for value in others):
        raise BoundsError(f"{name!r} takes no number beyond {NUMBER}")
    text = values[0] if values else ""
    if name in _PRODUCTS:
        spend(
            _length(text)
            * sum(abs(value) if isinstance(value, int) else size(value) for value in others if value)
        )
    elif name == "replace" and len(others) > 1:
        spend(str(text).count(str(others[0])) * size(others[1]))
    elif name == "format":
        _check_format(str(text), str(text).count("%") + str(text).count("{"), others)
    elif name == "sum" and not all(isinstance(value, int | float | str) for value in others):
        raise BoundsError("'sum' adds up numbers only")


def _length(value: Any) -> int:
    if isinstance(value, str):
        return value.count("\n") + value.count("\t") + 1
    return size(value) // ELEMENT + 1


def _small(left: Any, right: Any) -> bool:
    if not (isinstance(left, int) and isinstance(right, int)):
        return True
    return left.bit_length() * abs(right) <= BITS


def _check_product(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > BITS:
            raise BoundsError("the number is too large")
        return
    for value, times in ((left, right), (right, left)):
        if isinstance(times, int):
            spend(size(value) * max(times, 0))


def _check_format(text: str, fields: int, values: Iterable[Any]) -> None:
    if _WIDTH.search(text):
        raise BoundsError("the width of a formatted value is limited to 999")
    spend(fields * (1_000 + sum(size(value) for value in values)))
