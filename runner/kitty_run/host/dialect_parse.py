"""A dialect file's document, valid by its schema, to `Dialect` or `Refused`."""

from __future__ import annotations

from typing import Any

from kitty_run.host.criteria import CriteriaFile
from kitty_run.host.demands.git_demands import MergeDrivers, Protection
from kitty_run.host.demands.layout import Folders, Layout
from kitty_run.host.dialect import Dialect, Fields, Operation, Refused, Shape, Tested
from kitty_run.host.model import Convention, Lane, Topology, Traits
from kitty_run.host.readiness import Readiness


def parse(document: dict[str, Any]) -> Dialect | Refused:
    """The generation that `document` describes."""
    return _refused(document) if "refused" in document else _dialect(document)


def parse_traits(entry: dict[str, Any], *, reserves: bool = False) -> Traits:
    """The section `traits`; `reserves`: there is an operation `reserve`."""
    of_lanes = ("satisfied_by", "finished")
    lanes = {key: frozenset(Lane(lane) for lane in entry[key]) for key in of_lanes}
    parsed = {
        **entry,
        **lanes,
        "merge_strategies": frozenset(entry["merge_strategies"]),
        "records": tuple(entry["records"]),
        "merge_drivers": MergeDrivers(**entry["merge_drivers"]) if "merge_drivers" in entry else None,
        "protects": _protection(entry.get("protects")),
    }
    return Traits(**parsed, reserves=reserves)


def _protection(entry: dict[str, Any] | None) -> Protection | None:
    if entry is None:
        return None
    return Protection(**{**entry, "branches": tuple(entry["branches"]), "key": tuple(entry["key"])})


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
        tested=Tested(**document["tested"]),
        operations={name: _operation(entry) for name, entry in document["operations"].items()},
        fields=Fields(**document["fields"]),
        prompt=tuple(document["prompt"]),
        convention=_convention(document.get("convention")),
        lanes=document.get("lanes"),
        traits=parse_traits(document["traits"], reserves="reserve" in document["operations"]),
        shapes=tuple(_shape(entry) for entry in document["topologies"]),
        not_found=frozenset(document["codes"]["not_found"]),
        precise=tuple(document["codes"].get("precise", ())),
        readiness=_readiness(document.get("acceptance")),
        criteria_file=_criteria_file(document.get("acceptance", {}).get("criteria")),
        layout=_layout(document.get("acceptance", {}).get("layout")),
    )


def _head(document: dict[str, Any]) -> dict[str, Any]:
    return {key: document[key] for key in ("name", "title", "contract", "install")}


def _operation(entry: dict[str, Any] | None) -> Operation | None:
    return None if entry is None else Operation(tuple(entry["argv"]), entry.get("reply", "envelope"))


def _convention(entry: dict[str, Any] | None) -> Convention | None:
    return None if entry is None else Convention(**entry)


def _readiness(entry: dict[str, Any] | None) -> Readiness | None:
    return None if entry is None else Readiness(entry["outstanding"], entry["remedies"])


def _criteria_file(entry: dict[str, Any] | None) -> CriteriaFile | None:
    if entry is None:
        return None
    named = {key: value for key, value in entry.items() if key not in {"list", "personal"}}
    return CriteriaFile(**named, key=entry["list"], personal=tuple(entry["personal"]))


def _layout(entry: dict[str, Any] | None) -> Layout | None:
    if entry is None:
        return None
    folders = {
        kind: Folders(**{where: tuple(names) for where, names in of.items()})
        for kind, of in entry["folders"].items()
    }
    return Layout(**{**entry, "folders": folders, "elsewhere": tuple(entry["elsewhere"])})


def _shape(entry: dict[str, Any]) -> Shape:
    described = {key: value for key, value in entry.items() if key != "match"}
    own = _convention(entry.get("own_worktree"))
    return Shape(Topology(**{**described, "own_worktree": own}), entry["match"])
