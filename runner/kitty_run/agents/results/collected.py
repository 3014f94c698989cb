"""Values that JSON pointers find in a sequence of documents: the latest of each, or their sum."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from kitty_run.agents.model import ModelUsage
from kitty_run.profile.output import EACH, Tokens

MESSAGE_LIMIT = 256 * 1024
"""Characters of the final message that are kept: its end, where a verdict is."""

MODELS = 20
"""Models of one attempt that are counted separately."""

COUNTED = ("input_tokens", "cached_tokens", "output_tokens")

SESSION = re.compile(r"[A-Za-z0-9][\w.:@/+=-]{0,255}")
MODEL = re.compile(r"[A-Za-z0-9~][\w.:@/+ ()~-]{0,99}")

T = TypeVar("T")


def resolve(document: object, pointer: str) -> object:
    """The value at the JSON pointer (RFC 6901) in `document`; None where there is none.

    `-` is an array's last element: agents end a list of thoughts with what they say. `*` matches
    every member, such as each model that was used: numbers there are added up, and nothing else counts.
    """
    head, star, rest = pointer.partition("/*")
    if star and (not rest or rest.startswith("/")):
        return _added(resolve(document, head), rest)
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and document and name == "-":
            document = document[-1]
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def _added(members: object, pointer: str) -> float | None:
    """The sum of the numbers at `pointer` in all `members`; None where there is none."""
    of_them = members.values() if isinstance(members, dict) else members if isinstance(members, list) else ()
    numbers = [found for member in of_them if (found := number(resolve(member, pointer))) is not None]
    return sum(numbers) if numbers else None


class Collected:
    """What was found so far. Numbers belong to the model that their document names; those of documents that
    name none to the last one that any named."""

    def __init__(self, output: Tokens) -> None:
        self.message: str | None = None
        self.session: str | None = None
        self._output = output
        self._cost: float | None = None
        self._model: str | None = None
        self._used: dict[str | None, dict[str, float]] = {}

    def take(self, document: object) -> None:
        """Take what one document has."""
        self.message = _find(document, getattr(self._output, "message", None), _message) or self.message
        self.session = _find(document, getattr(self._output, "session", None), _session) or self.session
        model = _find(document, self._output.model, model_name)
        self._model = model or self._model
        if model:
            self._of(model)
        for name, pointers in self._output.numbers():
            for key, found in self._found(document, pointers, model):
                self._count(key, name, found)

    def cost(self) -> float | None:
        """What it cost in US dollars."""
        return self._cost

    def usage(self) -> tuple[ModelUsage, ...]:
        """The tokens of each model, in the order in which they were named."""
        used = dict(self._used)
        unnamed = used.pop(None, None)
        if unnamed is not None:
            owner = self._model or next(reversed(used), None)
            before = used.get(owner, {})
            used[owner] = {key: unnamed.get(key, 0.0) + before.get(key, 0.0) for key in unnamed | before}
        counted = {model: numbers for model, numbers in used.items() if numbers}
        if not counted and self._model:
            return (ModelUsage(self._model),)
        return tuple(
            ModelUsage(model, *(whole(numbers.get(name)) for name in COUNTED))
            for model, numbers in counted.items()
        )

    def _found(
        self, document: object, pointers: tuple[str, ...], model: str | None
    ) -> Iterator[tuple[str | None, float]]:
        """The sums of what `pointers` find, by the model that each belongs to."""
        members = self._members(document)
        start = f"{str(self._output.model).removesuffix(EACH)}{EACH}"
        inside = [
            one.removeprefix(start) for one in pointers if members is not None and one.startswith(start)
        ]
        if members is None or not inside:
            yield from _sum(document, pointers, model)
            return
        for name, member in list(members.items())[:MODELS]:
            if key := model_name(name):
                yield from _sum(member, inside, key)
        if not members:  # it says that no model was used
            yield None, 0.0

    def _members(self, document: object) -> dict[str, object] | None:
        """The models of `document` by name, where `model` points to a mapping's members; else None."""
        head, each, rest = (self._output.model or "").rpartition(EACH)
        found = resolve(document, head) if each and not rest else None
        return found if isinstance(found, dict) else None

    def _of(self, model: str | None) -> dict[str, float]:
        if model not in self._used and len(self._used) >= MODELS:
            model = next(reversed(self._used))
        return self._used.setdefault(model, {})

    def _count(self, model: str | None, name: str, found: float) -> None:
        if name == "cost_usd":
            self._cost = found + (self._cost or 0.0) * self._output.sum
            return
        numbers = self._of(model)
        numbers[name] = found + numbers.get(name, 0.0) * self._output.sum


def model_name(value: object) -> str | None:
    """A model's name; what can't be one is none."""
    return value if isinstance(value, str) and MODEL.fullmatch(value) else None


def number(value: object) -> float | None:
    """A count or an amount; what is negative or not finite is not believed."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def whole(value: float | None) -> int | None:
    """A count."""
    return None if value is None else int(value)


def _sum(document: object, pointers: Iterable[str], model: str | None) -> Iterator[tuple[str | None, float]]:
    """What `pointers` find in `document` together, if anything."""
    sums = [found for one in pointers if (found := number(resolve(document, one))) is not None]
    if sums:
        yield model, sum(sums)


def _find(document: object, pointer: str | None, convert: Callable[[object], T | None]) -> T | None:
    return None if pointer is None else convert(resolve(document, pointer))


def _message(value: object) -> str | None:
    return value[-MESSAGE_LIMIT:] if isinstance(value, str) and value.strip() else None


def _session(value: object) -> str | None:
    """A session's id; what could be read as an option where it is passed on is none."""
    return value if isinstance(value, str) and SESSION.fullmatch(value) else None
