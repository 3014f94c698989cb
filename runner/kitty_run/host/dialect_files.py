"""Dialect files: YAML that fits `schemas/host.schema.json` to `Dialect`; a new generation is a new file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from kitty_run.errors import UsageError
from kitty_run.host.dialect import Convention, Dialect, Fields, Operation, Refused, Shape
from kitty_run.host.model import Lane, Topology, Traits
from kitty_run.resources import profiles_dir, schema_path


def dialects_dir() -> Path:
    """Where the dialects stand that ship."""
    return profiles_dir() / "hosts"


def load_all(directories: Sequence[Path] = ()) -> tuple[Dialect | Refused, ...]:
    """The dialects that ship and those of `directories`, by file name; a later one of a name replaces it.

    Raises `UsageError` for a file that is not a dialect.
    """
    found: dict[str, Dialect | Refused] = {}
    for directory in (dialects_dir(), *directories):
        for path in sorted(directory.glob("*.yaml")):
            dialect = load(path)
            found[dialect.name] = dialect
    return tuple(found.values())


def load(path: Path) -> Dialect | Refused:
    """One dialect file; `UsageError` names the file and every place in it that is wrong."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: cannot be read as a dialect: {error}") from error
    problems = list(_problems(document, path))
    if problems:
        raise UsageError("\n".join(problems))
    return _refused(document) if "refused" in document else _dialect(document)


def named(name: str) -> Dialect:
    """The dialect `name`, which ships; `UsageError` lists those there are."""
    known = {dialect.name: dialect for dialect in load_all() if isinstance(dialect, Dialect)}
    if name not in known:
        raise UsageError(f"there is no host dialect {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def _problems(document: object, path: Path) -> Iterator[str]:
    schema = json.loads(schema_path("host").read_text(encoding="utf-8"))
    errors = Draft202012Validator(schema).iter_errors(document)
    for error in sorted(errors, key=lambda found: found.json_path):
        pointer = "/".join(str(part) for part in error.absolute_path)
        yield f"{path}: /{pointer}: {error.message}"
    if isinstance(document, dict) and document.get("name") != path.stem:
        yield f"{path}: /name: must be the file's name, {path.stem!r}"


def _refused(document: dict[str, Any]) -> Refused:
    refused = document["refused"]
    return Refused(
        **_head(document),
        probe=tuple(refused["probe"]),
        because=refused["because"],
    )


def _dialect(document: dict[str, Any]) -> Dialect:
    return Dialect(
        **_head(document),
        operations={name: _operation(entry) for name, entry in document["operations"].items()},
        fields=Fields(**document["fields"]),
        convention=_convention(document.get("convention")),
        traits=_traits(document["traits"]),
        shapes=tuple(_shape(entry) for entry in document["topologies"]),
        not_found=frozenset(document["codes"]["not_found"]),
        codes=frozenset(document["codes"]["known"]),
    )


def _head(document: dict[str, Any]) -> dict[str, Any]:
    return {key: document[key] for key in ("name", "title", "contract", "install")}


def _operation(entry: dict[str, Any] | None) -> Operation | None:
    return None if entry is None else Operation(tuple(entry["argv"]), entry.get("reply", "envelope"))


def _convention(entry: dict[str, Any] | None) -> Convention | None:
    return None if entry is None else Convention(**{**entry, "prompt": tuple(entry["prompt"])})


def _traits(entry: dict[str, Any]) -> Traits:
    of_lanes = ("satisfied_by", "finished", "blockable")
    lanes = {key: frozenset(Lane(lane) for lane in entry[key]) for key in of_lanes}
    return Traits(**{**entry, **lanes, "merge_strategies": frozenset(entry["merge_strategies"])})


def _shape(entry: dict[str, Any]) -> Shape:
    return Shape(Topology(entry["name"], entry["commit_status"], entry["accept"]), entry["match"])
