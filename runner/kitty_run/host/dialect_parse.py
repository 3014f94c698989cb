"""A dialect file's document, valid by its schema, to `Dialect` or `Refused`."""

from __future__ import annotations

from typing import Any

from kitty_run.host.dialect import Convention, Dialect, Fields, Operation, Refused, Shape
from kitty_run.host.model import Lane, Topology, Traits


def parse(document: dict[str, Any]) -> Dialect | Refused:
    """The generation that `document` describes."""
    return _refused(document) if "refused" in document else _dialect(document)


def parse_traits(entry: dict[str, Any]) -> Traits:
    """The section `traits`."""
    of_lanes = ("satisfied_by", "finished")
    lanes = {key: frozenset(Lane(lane) for lane in entry[key]) for key in of_lanes}
    strategies, records = frozenset(entry["merge_strategies"]), tuple(entry["records"])
    return Traits(**{**entry, **lanes, "merge_strategies": strategies, "records": records})


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
        prompt=tuple(document["prompt"]),
        convention=_convention(document.get("convention")),
        lanes=document.get("lanes"),
        traits=parse_traits(document["traits"]),
        shapes=tuple(_shape(entry) for entry in document["topologies"]),
        not_found=frozenset(document["codes"]["not_found"]),
    )


def _head(document: dict[str, Any]) -> dict[str, Any]:
    return {key: document[key] for key in ("name", "title", "contract", "install")}


def _operation(entry: dict[str, Any] | None) -> Operation | None:
    return None if entry is None else Operation(tuple(entry["argv"]), entry.get("reply", "envelope"))


def _convention(entry: dict[str, Any] | None) -> Convention | None:
    return None if entry is None else Convention(**entry)


def _shape(entry: dict[str, Any]) -> Shape:
    topology = Topology(entry["name"], entry["commit_status"], entry["accept"], entry.get("status_at"))
    return Shape(topology, entry["match"])
