"""Dialect files: YAML that fits `schemas/host.schema.json` to `Dialect`; a new generation is a new file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kitty_run.errors import UsageError
from kitty_run.host.dialect import Dialect, Refused
from kitty_run.host.dialect_parse import parse
from kitty_run.resources import profiles_dir, read_yaml, schema_path


def dialects_dir() -> Path:
    """Where the shipped dialects are."""
    return profiles_dir() / "hosts"


@cache
def load_all() -> tuple[Dialect | Refused, ...]:
    """The dialects that ship, by file name. Raises `UsageError` for a file that is not a dialect.

    The schema is asked only about what can't be parsed: what ships was checked by the tests of `load`.
    """
    return tuple(_parsed(path) for path in sorted(dialects_dir().glob("*.yaml")))


def load(path: Path) -> Dialect | Refused:
    """One dialect file; `UsageError` names the file and every place in it that is wrong."""
    document = _read(path)
    problems = list(_problems(document, path))
    if problems:
        raise UsageError("\n".join(problems))
    return parse(document)


def _parsed(path: Path) -> Dialect | Refused:
    try:
        return parse(_read(path))
    except (LookupError, TypeError, ValueError, AttributeError):
        return load(path)


def _read(path: Path) -> Any:
    try:
        return read_yaml(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: cannot be read as a dialect: {error}") from error


@cache
def named(name: str) -> Dialect:
    """The dialect `name`, which ships; `UsageError` lists those there are."""
    known = {dialect.name: dialect for dialect in load_all() if isinstance(dialect, Dialect)}
    if name not in known:
        raise UsageError(f"there is no host dialect {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def _problems(document: object, path: Path) -> Iterator[str]:
    from jsonschema import Draft202012Validator

    schema = json.loads(schema_path("host").read_text(encoding="utf-8"))
    errors = Draft202012Validator(schema).iter_errors(document)
    for error in sorted(errors, key=lambda found: found.json_path):
        pointer = "/".join(str(part) for part in error.absolute_path)
        yield f"{path}: /{pointer}: {error.message}"
    if isinstance(document, dict) and document.get("name") != path.stem:
        yield f"{path}: /name: must be the file's name, {path.stem!r}"
