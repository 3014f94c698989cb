"""What jsonschema finds in a tree, as problems with positions and in words for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from kitty_run.profile.validation.nearest import near, nearest
from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.validation.schema import Schema, profile_schema, resolve
from kitty_run.profile.yaml.tree import (
    MapNode,
    Path,
    ScalarNode,
    find,
    key_place,
    plain,
    pointer,
    value_place,
)

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_TYPES = {
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_FALSE_FRIENDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


@dataclass(frozen=True, slots=True)
class _Error:
    """What of jsonschema's error is used: the word of the schema that was broken, by what, where."""

    word: str
    value: Any
    schema: Schema
    instance: Any
    path: Path
    of_key: bool

    @classmethod
    def of(cls, error: ValidationError) -> _Error:
        schema = cast("Schema", error.schema)
        of_key = "propertyNames" in error.schema_path
        path = tuple(error.absolute_path)
        return cls(str(error.validator), error.validator_value, schema, error.instance, path, of_key)


def schema_problems(root: MapNode, *, partial: bool = False) -> Iterator[tuple[Path, Problem]]:
    """Where `root` doesn't fit the profile's schema: the path to the wrong value, and the problem.

    `partial`: keys may be missing, as in a layer.
    """
    document = plain(root)
    for found in _validator().iter_errors(document):
        error = _Error.of(found)
        if error.word != "required" or not partial:
            yield from _TELLERS.get(error.word, _other)(root, error)


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(profile_schema())


def _problem(root: MapNode, path: Path, message: str, hint: str = "") -> tuple[Path, Problem]:
    return path, Problem.at(value_place(root, path), pointer(path), message, hint)


def _unknown_keys(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    known = list(error.schema.get("properties", ()))
    for key in error.instance:
        if key not in known:
            path = (*error.path, key)
            message = f"unknown key {key!r}"
            yield path, Problem.at(key_place(root, path), pointer(path), message, nearest(key, known))


def _missing_key(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    for key in error.schema["required"]:
        if key not in error.instance:
            path = error.path
            described = resolve(error.schema["properties"][key]).get("description", "")
            hint = re.split("[.;:]", described)[0]
            place = value_place(root, path)
            yield (*path, key), Problem.at(place, pointer(path), f"the key {key!r} is missing", hint)


def _wrong_type(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    node = find(root, error.path)
    value, raw = error.instance, node.raw if isinstance(node, ScalarNode) else ""
    kind = error.schema.get("x-kind")
    if kind == "duration":
        unit = raw if isinstance(value, int | float) and not isinstance(value, bool) else "30"
        yield _problem(root, error.path, f"must be a duration, is {_shown(value)}", f"with its unit: {unit}s")
        return
    if kind == "size":
        unit = raw if isinstance(value, int) and not isinstance(value, bool) else "200000"
        yield _problem(root, error.path, f"must be a size, is {_shown(value)}", f"with its unit: {unit}B")
        return
    types = "string" if error.schema.get("x-text") else error.schema["type"]
    wanted = [_TYPES[each] for each in ([types] if isinstance(types, str) else types)]
    yield _problem(
        root,
        error.path,
        f"must be {_alternatives(wanted)}, is {_shown(value)}",
        _type_hint(types, value, raw),
    )


def _type_hint(types: str | list[str], value: object, raw: str) -> str:
    if "boolean" in types and raw.lower() in _FALSE_FRIENDS:
        return f"write {_FALSE_FRIENDS[raw.lower()]}: YAML 1.2 reads {raw} as text"
    if "array" in types and isinstance(value, str):
        words = ", ".join(value.split())
        return f"in brackets: [{words}]"
    if types == "string" and isinstance(value, int | float):
        return f'in quotes: "{raw}"'
    return ""


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f"the text {_short(value)!r}" if value else "an empty text"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if value is None:
        return "empty"
    return "a mapping" if isinstance(value, dict) else "a list"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _alternatives(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _not_listed(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    choices = [str(choice) for choice in error.value]
    hint = ""
    if isinstance(error.instance, str):
        meant = near(error.instance.replace("-", "_"), choices)
        hint = f"did you mean {meant!r}?" if meant else ""
    message = f"must be {_alternatives(choices)}, is {_shown(error.instance)}"
    yield _problem(root, error.path, message, hint)


def _other_version(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    from kitty_run import __version__

    message = f"{_shown(error.instance)} is not a version of the profile format that is known"
    hint = f"write version: 1, which kitty-run 0.1.0 and later read; this is kitty-run {__version__}"
    yield _problem(root, error.path, message, hint)


_PATTERNS = {
    "duration": ("is not a duration", "like 500ms, 30s, 5m or 2h"),
    "size": ("is not a size", "like 200kB or 1MB"),
    "executor": ("is not a kind of executor", "write executor: local"),
    "assurance": ("is not a degree of trust", "confined, cli or declared"),
}


def _pattern(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    if error.of_key:
        yield from _key_name(root, error)
        return
    message, hint = _PATTERNS.get(
        error.schema.get("x-kind", ""), ("has characters that are not allowed here", "")
    )
    hint = hint or error.schema.get("x-hint", "")
    yield _problem(root, error.path, f"{_shown(error.instance)} {message}", hint)


def _key_name(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    key = str(error.instance)
    path = (*error.path, key)
    message = f"the key {key!r} has characters that are not allowed here"
    hint = error.schema.get("x-hint", "")
    yield path, Problem.at(key_place(root, path), pointer(path), message, hint)


def _bound(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "more than",
    }
    wanted = f"{words[error.word]} {error.value}"
    yield _problem(root, error.path, f"must be {wanted}, is {error.instance}")


def _empty(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    yield _problem(root, error.path, "must not be empty")


def _repeated(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    items = error.instance
    number = next(n for n, item in enumerate(items) if item in items[:n])
    yield _problem(root, (*error.path, number), f"{items[number]!r} is in the list twice")


def _other(root: MapNode, error: _Error) -> Iterator[tuple[Path, Problem]]:
    yield _problem(root, error.path, f"breaks the schema's {error.word}: {error.value}")


_Teller = Callable[[MapNode, _Error], Iterator[tuple[Path, Problem]]]
_TELLERS: dict[str, _Teller] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_key,
    "type": _wrong_type,
    "enum": _not_listed,
    "const": _other_version,
    "pattern": _pattern,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum"), _bound),
    **dict.fromkeys(("minLength", "minItems", "minProperties"), _empty),
    "uniqueItems": _repeated,
}
