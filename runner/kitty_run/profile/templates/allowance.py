"""What one rendering of a template may cost, in values, turns of loops and processor time.

Every value that a template makes is paid for from one allowance. So neither long loops, nor repeated
texts, nor lists of lists take memory or time without end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import GeneratorType
from typing import Any

from jinja2 import TemplateRuntimeError

ALLOWANCE = 16_000_000
"""Characters, or their like, that one rendering may make in all."""
ELEMENT = 32
TURN = 160
"""What an element of a list costs, and a turn of a loop or a call."""
SECONDS = 1.0
"""Processor time of one rendering."""


class BoundsError(TemplateRuntimeError):
    """A template that would take too much."""


class _Purse:
    """What is left of one rendering's allowance."""

    def __init__(self) -> None:
        self.left = ALLOWANCE
        self.until = time.thread_time() + SECONDS

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise BoundsError("it makes too much: its loops, lists or texts are too large")
        if time.thread_time() > self.until:
            raise BoundsError(f"it takes more than {SECONDS:.0f} s to render")


_purse: ContextVar[_Purse | None] = ContextVar("_purse", default=None)


@contextmanager
def allowance() -> Iterator[None]:
    """One rendering, with an allowance of its own."""
    token = _purse.set(_Purse())
    try:
        yield
    finally:
        _purse.reset(token)


def size(value: object) -> int:
    """What a value costs, with all that is in it as often as it is in it; counted no further than needed."""
    total, stack = 0, [value]
    while stack and total <= ALLOWANCE:
        one = stack.pop()
        if isinstance(one, str | bytes):
            total += len(one) + 1
        elif isinstance(one, int):
            total += one.bit_length() // 8 + 1
        elif isinstance(one, range):
            total += ELEMENT * (len(one) + 1)
        elif isinstance(one, dict):
            total += ELEMENT * (len(one) + 1)
            stack += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            total += ELEMENT * (len(one) + 1)
            stack += one
        else:
            total += 1
    return total


def paid(value: Any) -> Any:
    """`value`, once it is paid for."""
    spend(size(value))
    return value


def spend(amount: int) -> None:
    if (purse := _purse.get()) is not None:
        purse.spend(amount)


def turns(items: Any) -> Iterator[Any]:
    for item in items:
        spend(TURN)
        yield item


def listed(value: Any) -> Any:
    """What a filter yields one by one, as a list, so that its size is known."""
    return list(turns(value)) if isinstance(value, GeneratorType) else value
